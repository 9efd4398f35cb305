"""The simulated companies hold the incidents that their labels say, and are the same each time."""

import csv
import json
from collections import Counter, defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from genai_prices import Usage, calc_price

from conftest import run_cli
from llm_spend.demo.simulator import AS_OF, simulate
from llm_spend.demo.simulator.company import START, UNPRICED
from llm_spend.demo.simulator.kinds import KINDS
from llm_spend.demo.simulator.plan import FIRST_INCIDENT_DAY, plan
from llm_spend.demo.simulator.shapes import shape

SEEDS = (1, 3)
"""Together they hold all kinds; each is drawn in seconds."""
REPORTED = range(1000, 1020)
FILES = (
    "events.jsonl", "labels.csv", "label_dollars.csv", "as_of.txt", "config/budgets.csv", "config/tenant_revenue.csv",
    "config/prompt_versions.csv", "config/price_overrides.csv", "config/endpoint_taxonomy.csv",
)  # fmt: skip

Row = dict[str, str]
Event = dict[str, object]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class World:
    """One seed's files, read as any program would read them."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed, self.folder = seed, folder
        self.logged = simulate(seed, folder)
        with (folder / "events.jsonl").open(encoding="utf-8") as file:
            self.log = [json.loads(line) for line in file]
        self.events = [event for event in self.log if event["environment"] == "prod"]
        self.costs: dict[object, float] = {}
        self.labels = read(folder / "labels.csv")
        self.new_prices = {
            (row["model_id"], row["usage_type"]): row for row in read(folder / "config" / "price_overrides.csv")
        }

    def label(self, kind: str) -> Row:
        (label,) = (label for label in self.labels if label["kind"] == kind)
        return label

    def during(self, label: Row, **wanted: object) -> list[Event]:
        return self.between(label["starts_at"], label["ends_at"], **wanted)

    def between(self, start: str, end: str, **wanted: object) -> list[Event]:
        return [
            event for event in self.events
            if start <= event["started_at"] < end and all(event.get(name) == value for name, value in wanted.items())
        ]  # fmt: skip

    def cost(self, event: Event) -> float:
        """By the reference library, once for each event."""
        if event["event_id"] not in self.costs:
            self.costs[event["event_id"]] = self.priced(event)
        return self.costs[event["event_id"]]

    def priced(self, event: Event) -> float:
        """What an agreed price raised costs that much more."""
        if "input_tokens" not in event or event["model"] == UNPRICED.name:
            return 0.0
        hours = event.get("cache_write_1h_tokens", 0)
        usage = Usage(
            input_tokens=event["input_tokens"],
            output_tokens=event["output_tokens"],
            cache_read_tokens=event.get("cached_input_tokens") or None,
            cache_write_tokens=event.get("cache_write_tokens") or None,
        )
        moment = datetime.fromisoformat(event["started_at"]).astimezone()
        price = calc_price(usage, event["model"], provider_id=event["provider"], genai_request_timestamp=moment)
        # The library prices a write for five minutes; one for an hour costs twice the input instead of 1.25 times.
        cost = float(price.total_price) + hours * (10.0 - 6.25) / 1e6
        raised = self.new_prices.get((event["model"], "input"))
        if raised and event["started_at"] >= raised["valid_from"]:
            cost *= float(raised["price"]) / INPUT_PRICES[event["model"]]
        return cost


INPUT_PRICES = {"gpt-4o": 2.5, "claude-sonnet-4-5": 3.0, "claude-opus-4-5": 5.0}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[int, World]:
    return {seed: World(seed, tmp_path_factory.mktemp(f"seed{seed}")) for seed in SEEDS}


@pytest.fixture(scope="module")
def first(worlds: dict[int, World]) -> World:
    return worlds[1]


@pytest.fixture(scope="module")
def third(worlds: dict[int, World]) -> World:
    return worlds[3]


def average(values: list[float]) -> float:
    return sum(values) / len(values)


def test_the_same_seed_gives_the_same_bytes(first: World, tmp_path: Path) -> None:
    simulate(1, tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (first.folder / name).read_bytes(), name


def test_the_command_says_how_to_build_what_it_wrote(tmp_path: Path) -> None:
    result = run_cli("demo", "incidents", "--seed", 3, "--to", tmp_path / "three")
    assert result.returncode == 0, result.stderr
    assert sorted(
        f"{path.relative_to(tmp_path / 'three')}" for path in tmp_path.rglob("*") if path.is_file()
    ) == sorted(FILES)
    assert "llm-spend build --events" in result.stdout
    assert "--as-of 2026-09-25T00:00:00Z" in result.stdout


def test_every_kind_comes_often_enough_and_no_seed_is_crowded() -> None:
    counts: Counter[str] = Counter()
    for seed in REPORTED:
        incidents = [event for event in plan(seed) if not event.is_benign]
        assert 12 <= len(incidents) <= 16
        assert min(event.starts_at for event in incidents) >= START + timedelta(days=FIRST_INCIDENT_DAY)
        assert all(event.starts_at < event.ends_at <= AS_OF for event in incidents)
        counts.update(event.kind for event in incidents)
    assert set(counts) == {kind.name for kind in KINDS}
    assert len(counts) == 19
    assert min(counts.values()) >= 12


def test_two_causes_are_not_at_one_place_at_one_time() -> None:
    """Whatever has the same endpoint or tenant, but for the months of budgets and plans, is apart."""
    for seed in REPORTED:
        events = [event for event in plan(seed) if event.kind not in ("budget_exceeded", "unprofitable_tenant")]
        for nth, event in enumerate(events):
            for other in events[nth + 1 :]:
                if event.lanes & other.lanes:
                    assert event.ends_at <= other.starts_at or other.ends_at <= event.starts_at, (event, other)


def test_seeds_differ(worlds: dict[int, World]) -> None:
    kinds = {seed: [label["kind"] for label in world.labels] for seed, world in worlds.items()}
    assert kinds[1] != kinds[3]


def test_worlds_have_their_size(worlds: dict[int, World]) -> None:
    for world in worlds.values():
        assert world.logged == len(world.log) == len({event["event_id"] for event in world.log})
        assert 60_000 <= len(world.log) <= 90_000
        tenants = {event["tenant_id"] for event in world.events}
        assert len(tenants - {"qa-loadtest"}) == 40
        assert {event["started_at"][:10] for event in world.events} <= {
            f"{START + timedelta(days=day):%Y-%m-%d}" for day in range(90)
        }
        assert (world.folder / "as_of.txt").read_text("utf-8") == "2026-09-25 00:00:00\n"


def test_weekends_are_quiet_and_days_vary_more_than_chance(first: World) -> None:
    days = Counter(event["started_at"][:10] for event in first.events if event["started_at"] < "2026-08-01")
    working = [count for day, count in days.items() if datetime.fromisoformat(day).weekday() < 5]
    weekend = [count for day, count in days.items() if datetime.fromisoformat(day).weekday() >= 5]
    assert average(weekend) < 0.7 * average(working)
    mean = average(working)
    assert average([(count - mean) ** 2 for count in working]) > 2 * mean


def test_shapes_have_the_mean_one() -> None:
    for trace in ("conversation", "code", "long_conversation"):
        for measure in ("input", "output", "rate"):
            points = shape(trace, measure).quantiles
            assert len(points) == 41
            assert points == sorted(points)
            middles = [(low + high) / 2 for low, high in pairwise(points)]
            assert average(middles) == pytest.approx(1, abs=1e-4)


def test_dollars_by_the_hour_add_up_to_the_label(worlds: dict[int, World]) -> None:
    for world in worlds.values():
        summed: dict[str, float] = defaultdict(float)
        for row in read(world.folder / "label_dollars.csv"):
            summed[row["label_id"]] += float(row["dollars"])
        for label in world.labels:
            if label["kind"] not in ("budget_exceeded", "unprofitable_tenant"):
                assert float(label["dollars"]) == pytest.approx(summed[label["label_id"]], abs=1e-3)


@pytest.mark.parametrize("kind", ["runaway_loop", "expensive_workflow_run"])
def test_a_run_costs_what_its_label_says(first: World, kind: str) -> None:
    label = first.label(kind)
    calls = first.during(label, run_id=f"run-{label['label_id']}")
    assert len(calls) >= 8
    assert len({event["tenant_id"] for event in calls}) == 1
    assert sum(map(first.cost, calls)) == pytest.approx(float(label["dollars"]), abs=1e-5)
    assert not [event for event in first.events if event.get("run_id") == f"run-{label['label_id']}"
                and event not in calls]  # fmt: skip


def test_the_context_of_a_loop_grows(first: World) -> None:
    label = first.label("runaway_loop")
    inputs = [event["input_tokens"] for event in first.during(label, run_id=f"run-{label['label_id']}")]
    quarter = len(inputs) // 4
    assert average(inputs[-quarter:]) > 1.3 * average(inputs[:quarter])


def test_a_load_test_says_prod_and_real(first: World) -> None:
    label = first.label("test_traffic_as_production")
    calls = [event for event in first.events if event["tenant_id"] == "qa-loadtest"]
    assert calls == first.during(label, tenant_id="qa-loadtest", user_id="loadtest-user-1", data_mode="real")
    assert sum(map(first.cost, calls)) == pytest.approx(float(label["dollars"]), abs=1e-5)


def test_a_retry_storm_multiplies_attempts(first: World) -> None:
    label = first.label("retry_storm")
    calls = first.during(label, endpoint_tag="document.summary")
    requests = defaultdict(list)
    for event in calls:
        requests[event["external_request_id"]].append(event)
    assert 2.4 < len(calls) / len(requests) < 4.2
    before = first.between("2026-08-01", label["starts_at"], endpoint_tag="document.summary")
    assert len(before) / len({event["external_request_id"] for event in before}) < 1.06
    # Each request would have been billed once, for the same tokens: what its dearest attempt costs.
    wasted = sum(sum(costs) - max(costs) for costs in ([first.cost(it) for it in group] for group in requests.values()))
    assert float(label["dollars"]) == pytest.approx(wasted, rel=0.03)


def test_a_silent_switch_changes_the_model_only(first: World) -> None:
    label = first.label("silent_model_switch")
    calls = first.during(label, endpoint_tag="chat.assist")
    usual = first.between("2026-08-01", label["starts_at"], endpoint_tag="chat.assist")
    assert {event["model"] for event in usual} == {"claude-sonnet-4-5"}
    dearer = [event for event in calls if event["model"] == "claude-opus-4-5"]
    assert 0.5 < len(dearer) / len(calls) < 0.7
    assert {event["prompt_version"] for event in calls} == {usual[-1]["prompt_version"]}
    # By hand: Opus costs 5, 0.5, 10 and 25 dollars per million, Sonnet 3, 0.3, 3.75 and 15, so its extra is the rest.
    extra = 0.0
    for event in dearer:
        if "input_tokens" in event:
            cached, written = event.get("cached_input_tokens", 0), event.get("cache_write_tokens", 0)
            plain = event["input_tokens"] - cached - written
            extra += (plain * 2 + cached * 0.2 + written * 6.25 + event["output_tokens"] * 10) / 1e6
    assert float(label["dollars"]) == pytest.approx(extra, abs=1e-5)


def test_a_bad_prompt_sends_more_input(first: World) -> None:
    label = first.label("prompt_regression")
    (tag,) = (entity.removeprefix("endpoint=") for entity in label["entities"].split(";") if "endpoint=" in entity)
    after = [event for event in first.during(label, endpoint_tag=tag) if "input_tokens" in event]
    week = f"{datetime.fromisoformat(label['starts_at']) - timedelta(days=7)}"
    before = [event for event in first.between(week, label["starts_at"], endpoint_tag=tag) if "input_tokens" in event]
    ratio = average([event["input_tokens"] for event in after]) / average([event["input_tokens"] for event in before])
    assert 1.1 < ratio < 1.5
    (version,) = {event["prompt_version"] for event in after}
    assert version not in {event["prompt_version"] for event in before}
    assert f"prompt_version={tag} {version}" in label["entities"]
    days = [event["started_at"][:10] for event in after if event["attempt_number"] == 1]
    first_day = label["starts_at"][:10]
    sample = 0
    for nth, day in enumerate(sorted(set(days) - {first_day}), start=1):
        sample += days.count(day)
        if sample >= 300 and nth >= 3:
            assert label["judgeable_at"] == f"{datetime.fromisoformat(day) + timedelta(days=1)}"
            return
    pytest.fail("the sample was never reached")


def test_long_answers_are_longer(third: World) -> None:
    label = third.label("prompt_output_regression")
    (tag,) = (entity.removeprefix("endpoint=") for entity in label["entities"].split(";") if "endpoint=" in entity)
    after = [event["output_tokens"] for event in third.during(label, endpoint_tag=tag, status="success")]
    before = [event["output_tokens"] for event in third.between("2026-07-20", label["starts_at"], endpoint_tag=tag,
                                                                status="success")]  # fmt: skip
    assert 2.3 < average(after) / average(before) < 4.3


def test_a_lost_cache_hits_nothing(first: World) -> None:
    label = first.label("cache_loss")
    calls = [event for event in first.during(label, endpoint_tag="code.assist") if "input_tokens" in event]
    assert sum(event["cached_input_tokens"] for event in calls) == 0
    before = [event for event in first.between("2026-09-01", label["starts_at"], endpoint_tag="code.assist")
              if "input_tokens" in event]  # fmt: skip
    assert 0.7 < average([event["cached_input_tokens"] > 0 for event in before]) < 0.9
    # 80 % would have been hits: 0.5 instead of 10 dollars per million for the prefix of 54,000 tokens.
    assert float(label["dollars"]) == pytest.approx(0.8 * len(calls) * 54_000 * 9.5 / 1e6, rel=0.1)


def test_a_context_grows_by_the_day(first: World) -> None:
    label = first.label("context_growth")
    by_day = defaultdict(list)
    for event in first.during(label, endpoint_tag="data.question"):
        if "input_tokens" in event:
            by_day[event["started_at"][:10]].append(event["input_tokens"])
    days = sorted(by_day)
    assert len(days) == 14
    start, end = (average([tokens for day in part for tokens in by_day[day]]) for part in (days[:4], days[-4:]))
    assert 1.15 < end / start < 1.5


def test_untagged_calls_have_no_endpoint(third: World) -> None:
    label = third.label("untagged_traffic")
    untagged = [event for event in third.events if "endpoint_tag" not in event]
    assert untagged == [event for event in third.during(label) if "endpoint_tag" not in event]
    assert sum(map(third.cost, untagged)) == pytest.approx(float(label["dollars"]), abs=1e-5)
    assert "endpoint=(unattributed)" in label["entities"]


def test_an_unpriced_model_hides_its_cost(first: World) -> None:
    label = first.label("unpriced_model")
    calls = [event for event in first.events if event["model"] == UNPRICED.name]
    assert calls == first.during(label, model=UNPRICED.name)
    # The endpoint's usual model: 0.15 and 0.6 dollars per million.
    hidden = sum(event["input_tokens"] * 0.15 + event["output_tokens"] * 0.6 for event in calls
                 if "input_tokens" in event) / 1e6  # fmt: skip
    assert float(label["dollars"]) == pytest.approx(hidden, abs=1e-5)


def test_an_agreed_price_rises(first: World) -> None:
    label = first.label("price_change")
    calls = first.during(label, model="gpt-4o")
    factor = Decimal(first.new_prices["gpt-4o", "input"]["price"]) / Decimal("2.5")
    assert 1.2 <= factor <= 1.5
    assert Decimal(first.new_prices["gpt-4o", "output"]["price"]) / 10 == factor
    share = 1 - 1 / float(factor)
    assert sum(map(first.cost, calls)) * share == pytest.approx(float(label["dollars"]), abs=1e-4)


def test_a_tenant_takes_more_of_the_whole(first: World) -> None:
    label = first.label("tenant_concentration")

    def share(events: list[Event]) -> float:
        return average([event["tenant_id"] == "customer-02" for event in events])

    assert share(first.during(label)) > 2 * share(first.between("2026-07-01", "2026-08-01"))


def test_a_growing_tenant_is_twice_as_large_in_the_end(first: World) -> None:
    label = first.label("slow_tenant_growth")
    end = datetime.fromisoformat(label["ends_at"])
    starts = f"{datetime.fromisoformat(label['starts_at']) - timedelta(days=7)}"
    before = first.between(starts, label["starts_at"], tenant_id="customer-01")
    last = first.between(f"{end - timedelta(days=7)}", label["ends_at"], tenant_id="customer-01")
    assert len(last) > 1.4 * len(before)


def test_one_user_takes_most_of_a_tenant(third: World) -> None:
    label = third.label("user_abuse")
    named = dict(entity.split("=", 1) for entity in label["entities"].split(";"))
    calls = third.during(label, tenant_id=named["tenant"])
    costs = Counter()
    for event in calls:
        costs[event["user_id"]] += third.cost(event)
    assert costs[named["user"]] > 0.5 * sum(costs.values())


def test_a_bug_calls_an_endpoint_more_often(third: World) -> None:
    label = third.label("endpoint_spike")
    (tag,) = (entity.removeprefix("endpoint=") for entity in label["entities"].split(";") if "endpoint=" in entity)
    week = [timedelta(days=-7), timedelta(days=7)]
    start, end = (datetime.fromisoformat(label[name]) for name in ("starts_at", "ends_at"))
    usual = average([len(third.between(f"{start + days}", f"{end + days}", endpoint_tag=tag)) for days in week])
    assert 3 < len(third.during(label, endpoint_tag=tag)) / usual < 9


def test_a_batch_by_mistake_is_one_tenants(third: World) -> None:
    label = third.label("request_volume_spike")
    named = dict(entity.split("=", 1) for entity in label["entities"].split(";"))
    calls = third.during(label, tenant_id=named["tenant"], endpoint_tag=named["endpoint"], user_id=named["user"])
    assert sum(map(third.cost, calls)) == pytest.approx(float(label["dollars"]), rel=0.02)


def test_a_budget_too_small_is_passed(first: World) -> None:
    label = first.label("budget_exceeded")
    (budget,) = (row for row in read(first.folder / "config" / "budgets.csv") if row["valid_to"])
    spent, passed_at = 0.0, None
    for event in sorted(first.during(label, tenant_id=budget["scope_id"]), key=lambda event: event["started_at"]):
        spent += first.cost(event)
        if passed_at is None and spent > 0.8 * float(budget["amount_usd"]):
            passed_at = datetime.fromisoformat(event["started_at"])
    assert spent - float(budget["amount_usd"]) == pytest.approx(float(label["dollars"]), abs=1e-4)
    assert timedelta() <= datetime.fromisoformat(label["judgeable_at"]) - passed_at <= timedelta(hours=1)


def test_no_other_budget_is_passed(first: World) -> None:
    spent: Counter[tuple[str, str]] = Counter()
    for event in first.events:
        for scope in ("", event["tenant_id"]):
            spent[scope, event["started_at"][:7]] += first.cost(event)
    for budget in read(first.folder / "config" / "budgets.csv"):
        if budget["period"] == "monthly" and not budget["valid_to"]:
            for month in ("2026-07", "2026-08", "2026-09"):
                assert spent[budget["scope_id"], month] < 0.8 * float(budget["amount_usd"])


def test_one_customer_pays_less_than_it_costs(first: World) -> None:
    label = first.label("unprofitable_tenant")
    month = label["starts_at"][:7]
    spent: Counter[str] = Counter()
    for event in first.during(label):
        spent[event["tenant_id"]] += first.cost(event)
    paid = {row["tenant_id"]: float(row["revenue_usd"])
            for row in read(first.folder / "config" / "tenant_revenue.csv") if row["month"] == month}  # fmt: skip
    losing = {tenant: spent[tenant] - paid[tenant] for tenant in paid if spent[tenant] > paid[tenant]}
    ((tenant, loss),) = losing.items()
    assert f"tenant={tenant}" in label["entities"]
    assert loss == pytest.approx(float(label["dollars"]), abs=1e-4)


def test_what_an_outage_holds_back_comes_late_or_never(worlds: dict[int, World]) -> None:
    for world in worlds.values():
        in_order = sorted(event["started_at"] for event in world.log)
        late = [event for event, next_one in pairwise(world.log)
                if event["started_at"] > next_one["started_at"]]  # fmt: skip
        assert len(late) <= 2, in_order[-1]
        for label in world.labels:
            if label["kind"] == "source_outage":
                assert label["rules"] == "data_stale"
                kept = [nth for nth, event in enumerate(world.log)
                        if label["starts_at"] <= event["started_at"] < label["ends_at"]]  # fmt: skip
                assert not kept or min(kept) > len(world.log) - len(kept) - 2_000


def test_benign_events_have_no_dollars(worlds: dict[int, World]) -> None:
    kinds = Counter(
        label["kind"] for world in worlds.values() for label in world.labels if label["is_benign"] == "true"
    )
    assert set(kinds) == {
        "endpoint_launch", "new_tenant", "marketing_day", "planned_migration", "source_outage", "neutral_release",
        "holiday", "month_end",
    }  # fmt: skip
    for world in worlds.values():
        assert not [label for label in world.labels if label["is_benign"] == "true" and float(label["dollars"])]
