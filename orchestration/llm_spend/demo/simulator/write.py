"""Writes one seed's world: its log, its labels and the company's configuration."""

import csv
import json
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from pathlib import Path
from random import Random

from llm_spend.demo.simulator.company import AS_OF, SERVICES, START, TENANTS
from llm_spend.demo.simulator.plan import MONTHS, Planned, plan
from llm_spend.demo.simulator.traffic import Traffic, repriced
from llm_spend.demo.world import OPUS

ENTITY_SHARE = 0.25
"""An alert about whatever carries that much of an incident's extra cost is about the incident."""

COMPARED_REQUESTS, COMPARED_DAYS, FEWEST_DAYS = 300, 7, 3
"""A prompt version can be judged by that many requests a side, within so many days, on so many of them at least."""

ROOMY_BUDGET = 1.6
"""Budgets that no incident is about, relative to the month's spend."""
ROOMY_HOURS = 1.5
"""An hourly budget by contract, relative to the dearest hour without incidents."""
CONTRACTED_TENANTS = 3
BUDGETED_TENANTS = 8
WARNING_RATIO = 0.8
MARGIN = (3.0, 6.0)
"""What customers pay, relative to what they cost."""
OVERSPENT_DAYS = (13, 22)
"""Of the month, in which a budget too small is used up."""
LEAST_PRICE = 50
RELEASE_NOTES = {
    "planned_migration": "moves to another model",
    "neutral_release": "clearer wording",
    "prompt_regression": "more context",
    "prompt_output_regression": "friendlier answers",
    "rollback": "as it was before",
}
WHOLE_MONTHS = (datetime(2026, 7, 1), *MONTHS)

LABEL_COLUMNS = (
    "label_id", "kind", "starts_at", "ends_at", "judgeable_at", "entities", "rules", "dollars", "is_small",
    "is_benign",
)  # fmt: skip


def simulate(seed: int, out_dir: Path) -> int:
    """Write the world of a seed and return how many events it logged; the same seed gives the same bytes.

    `events.jsonl` is for `llm-spend load`, `config/` for `--config`, `as_of.txt` is the moment to judge from.
    `labels.csv` has a row for each incident and each benign event, `label_dollars.csv` the extra dollars of each
    incident hour by hour.
    """
    world = Traffic(seed, plan(seed))
    calls = world.calls()
    config = out_dir / "config"
    config.mkdir(parents=True, exist_ok=True)
    with (out_dir / "events.jsonl").open("w", encoding="utf-8", newline="\n") as file:
        for _, call in calls:
            filled = {name: value for name, value in call.items() if value is not None}
            file.write(json.dumps(filled, separators=(",", ":")) + "\n")
    money = Money(world)
    _write(out_dir / "labels.csv", LABEL_COLUMNS, (_label(world, money, event) for event in world.planned))
    _write(
        out_dir / "label_dollars.csv",
        ("label_id", "hour_at", "dollars"),
        ((*key, f"{dollars:.6f}") for key, dollars in sorted(world.ledger.extra_by_hour.items())),
    )
    _write(config / "budgets.csv", ("scope_type", "scope_id", "period", "amount_usd", "valid_from", "valid_to",
                                    "warning_ratio", "budget_kind"), money.budgets)  # fmt: skip
    _write(config / "tenant_revenue.csv", ("tenant_id", "month", "revenue_usd"), money.revenue)
    _write(config / "prompt_versions.csv", ("endpoint_tag", "prompt_version", "predecessor", "deployed_at",
                                            "change_note"), _announced_versions(world))  # fmt: skip
    _write(config / "price_overrides.csv", ("provider_id", "model_id", "usage_type", "price", "price_unit",
                                            "valid_from"), _new_prices(world))  # fmt: skip
    _write(config / "endpoint_taxonomy.csv", ("endpoint_tag",), ((service.tag,) for service in SERVICES))
    (out_dir / "as_of.txt").write_text(f"{AS_OF:%Y-%m-%d %H:%M:%S}\n", encoding="utf-8")
    return len(calls)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _label(world: Traffic, money: "Money", event: Planned) -> tuple[object, ...]:
    judgeable_at, dollars = None, None
    if event.kind == "budget_exceeded":
        judgeable_at = money.crossed_at(event, WARNING_RATIO * money.too_small[event])
        dollars = money.spent_until(event) - money.too_small[event]
    elif event.kind == "unprofitable_tenant":
        judgeable_at = money.crossed_at(event, money.unprofitable[event])
        dollars = money.spent_until(event) - money.unprofitable[event]
    elif event.kind in ("prompt_regression", "prompt_output_regression"):
        judgeable_at = version_judgeable_at(world, event)
    if dollars is None:
        dollars = sum(
            extra for (label_id, _), extra in world.ledger.extra_by_hour.items() if label_id == event.label_id
        )
    return (
        event.label_id,
        event.kind,
        event.starts_at,
        event.ends_at,
        judgeable_at,
        ";".join(_entities(world, event)),
        ";".join(event.rules),
        f"{dollars:.6f}",
        str(event.is_small).lower(),
        str(event.is_benign).lower(),
    )


def _entities(world: Traffic, event: Planned) -> list[str]:
    """What it happened to, and whatever carries a good part of its extra cost."""
    named = {("total", "total")}
    services = [service for service in SERVICES if service.tag == event.endpoint or service.model.name == event.model]
    for service in services:
        named |= {("endpoint", service.tag), ("agent", service.agent_id), ("workflow", service.workflow_id)}
        if event.kind in ("price_change", "silent_model_switch", "unpriced_model"):
            named.add(("model", service.model.name))
    named.add(("tenant", event.tenant))
    shares = world.ledger.extra_by_entity[event.label_id]
    whole = sum(dollars for (entity_type, _), dollars in shares.items() if entity_type == "tenant")
    named |= {entity for entity, dollars in shares.items() if dollars >= ENTITY_SHARE * whole > 0}
    return sorted(f"{entity_type}={entity_id}" for entity_type, entity_id in named if entity_id)


def version_judgeable_at(world: Traffic, event: Planned) -> datetime | None:
    """The end of the first whole day by which a new version has a fair sample; None if its week has none."""
    releases, requests = world.releases[event.endpoint], world.ledger.version_requests
    nth = next(nth for nth, (began, _, _) in enumerate(releases) if began == event.starts_at)
    first_day = event.starts_at.replace(hour=0)
    earlier = [first_day - timedelta(days=day) for day in range(1, COMPARED_DAYS + 1)]
    days = [first_day + timedelta(days=day) for day in range(1, COMPARED_DAYS + 1)]
    before = [requests[event.endpoint, releases[nth - 1][1], day] for day in earlier]
    after = [requests[event.endpoint, releases[nth][1], day] for day in days]
    if sum(before) < COMPARED_REQUESTS or sum(map(bool, before)) < FEWEST_DAYS:
        return None
    for count, day in enumerate(days, start=1):
        if sum(after[:count]) >= COMPARED_REQUESTS and sum(map(bool, after[:count])) >= FEWEST_DAYS:
            return day + timedelta(days=1)
    return None


class Money:
    """Budgets and revenue: roomy, but for those that an incident is about."""

    def __init__(self, world: Traffic) -> None:
        rng = Random(f"money {world.seed}")
        self.ledger = world.ledger
        self.monthly: dict[tuple[str, str], dict[datetime, float]] = defaultdict(lambda: defaultdict(float))
        for (entity_type, entity_id, hour), cost in world.ledger.spent.items():
            self.monthly[entity_type, entity_id][hour.replace(day=1, hour=0)] += cost
        self.too_small = {
            event: float(max(round(self.spent_until(event, rng.randint(*OVERSPENT_DAYS))), 1))
            for event in world.planned
            if event.kind == "budget_exceeded"
        }
        self.unprofitable = {
            event: round(event.size * self.spent_until(event), 2)
            for event in world.planned
            if event.kind == "unprofitable_tenant"
        }
        self.budgets = [
            *self._roomy_budgets(world),
            *(
                ("tenant", event.tenant, "monthly", f"{amount:.0f}", event.starts_at.date(),
                 event.starts_at.date() + timedelta(days=days_of(event.starts_at)), WARNING_RATIO, None)
                for event, amount in self.too_small.items()
            ),
        ]  # fmt: skip
        self.revenue = list(self._revenue(rng))

    def spent_until(self, event: Planned, days: int | None = None) -> float:
        """What its tenant spends from its start, for some days or until its end."""
        end = event.starts_at + timedelta(days=days) if days else event.ends_at
        return sum(cost for hour, cost in self._hours(event) if hour < end)

    def _hours(self, event: Planned) -> list[tuple[datetime, float]]:
        spent = self.ledger.spent
        return sorted((hour, cost) for (entity_type, tenant, hour), cost in spent.items()
                      if entity_type == "tenant" and tenant == event.tenant and event.covers(hour))  # fmt: skip

    def crossed_at(self, event: Planned, limit: float) -> datetime | None:
        """The end of the hour in which the spend of its tenant passed the limit."""
        spent = 0.0
        for hour, cost in self._hours(event):
            spent += cost
            if spent > limit:
                return hour + timedelta(hours=1)
        return None

    def dearest_month(self, entity: tuple[str, str]) -> float:
        """Its dearest whole month; one that is not over counts as if it went on."""
        costs = self.monthly[entity]
        return max(costs[month] * days_of(month) / min((AS_OF - month).days, days_of(month)) for month in WHOLE_MONTHS)

    def _roomy_budgets(self, world: Traffic) -> Iterable[Sequence[object]]:
        first = WHOLE_MONTHS[0].date()
        scopes = [("total", "total"), *(("tenant", tenant) for tenant in TENANTS[:BUDGETED_TENANTS])]
        for scope_type, scope_id in scopes:
            amount = ceil(ROOMY_BUDGET * self.dearest_month((scope_type, scope_id)))
            yield scope_type, None if scope_type == "total" else scope_id, "monthly", amount, first, None, None, None
        for tenant in TENANTS[:CONTRACTED_TENANTS]:
            dearest = max(cost for (other, _), cost in world.ledger.usual_spent.items() if other == tenant)
            yield "tenant", tenant, "hourly", ceil(ROOMY_HOURS * dearest), first, None, None, "contracted"

    def _revenue(self, rng: Random) -> Iterator[Sequence[object]]:
        """Every customer has one price a month, but one whose plan became too cheap for a month."""
        for tenant in TENANTS:
            price = max(rng.uniform(*MARGIN) * self.dearest_month(("tenant", tenant)), LEAST_PRICE)
            for month in (START.replace(day=1), *WHOLE_MONTHS):
                paid = next(
                    (revenue for event, revenue in self.unprofitable.items()
                     if event.tenant == tenant and event.starts_at == month),
                    round(price),
                )  # fmt: skip
                yield tenant, f"{month:%Y-%m}", f"{paid:.2f}"


def _announced_versions(world: Traffic) -> Iterator[Sequence[object]]:
    """Every migration, and half of the other releases: that much discipline is usual."""
    rng = Random(f"announced {world.seed}")
    for tag, releases in world.releases.items():
        for (_, predecessor, _), (began, version, why) in pairwise(releases):
            if why == "planned_migration" or rng.random() < 0.5:
                note = RELEASE_NOTES[why]
                yield tag, version, predecessor, f"{began:%Y-%m-%d %H:%M:%S}", note


def _new_prices(world: Traffic) -> Iterator[Sequence[object]]:
    models = {service.model.name: service.model for service in SERVICES}
    for event in world.planned:
        if event.kind == "price_change":
            model = repriced(models[event.model], event.size)
            write = "cache_write_1h" if model.name == OPUS.name else "cache_write"
            for usage_type, price in (
                ("input", model.input_price),
                ("cached_input", model.cached_price),
                (write, model.cache_write_price),
                ("output", model.output_price),
            ):
                if price:
                    yield model.provider, model.name, usage_type, f"{price:.6f}", "1M tokens", event.starts_at.date()


def days_of(month: datetime) -> int:
    return monthrange(month.year, month.month)[1]
