"""The demo's bundled files are what the generator writes, and hold what their labels say."""

import csv
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices import Usage, calc_price

from llm_spend.bills.tables import ANTHROPIC_COSTS, ANTHROPIC_USAGE, OPENAI_COSTS, OPENAI_USAGE
from llm_spend.demo import DEMO_AS_OF, DEMO_START, generate, incidents
from llm_spend.demo.generate import EVENT_COLUMNS
from llm_spend.demo.labels import QUARANTINED_ROWS
from llm_spend.errors import UserError
from llm_spend.paths import project_dir

BUNDLED = Path(__file__).resolve().parents[2] / "seeds" / "demo"
FILES = ("raw_demo_usage_events.csv", "raw_demo_rejected_events.csv", "demo_planted_incidents.csv")
BILL_TABLES = {
    "raw_demo_openai_usage.csv": OPENAI_USAGE,
    "raw_demo_openai_costs.csv": OPENAI_COSTS,
    "raw_demo_anthropic_usage.csv": ANTHROPIC_USAGE,
    "raw_demo_anthropic_costs.csv": ANTHROPIC_COSTS,
}
BILL_FILES = (*BILL_TABLES, "raw_demo_bills_periods.csv", "demo_planted_bill_gaps.csv")
UNPRICED_MODEL = "acme-reranker-1"

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def count(row: Row, column: str) -> int:
    return int(row[column] or 0)


def started(row: Row) -> datetime:
    return datetime.fromisoformat(row["started_at"])


def has_reason(row: Row, reason: str) -> bool:
    counts = [int(value) for name, value in row.items() if name.endswith("_tokens") and value]
    checks = {
        "missing_required_field": not row["model"],
        "negative_count": any(value < 0 for value in counts),
        "part_larger_than_whole": count(row, "cached_input_tokens") > count(row, "input_tokens"),
        "timestamp_before_2020": started(row) < datetime(2020, 1, 1),
        "timestamp_in_future": started(row) > DEMO_AS_OF + timedelta(days=1),
        "number_too_large": any(value > 10_000_000_000 for value in counts),
        "unknown_usage_key": bool(row["other_usage"]),
        "unknown_status": row["status"] not in ("success", "error", "timeout", "rate_limited", "cancelled"),
        "unknown_environment": row["environment"] not in ("prod", "staging", "dev"),
        "unknown_data_mode": row["data_mode"] not in ("real", "test", "demo"),
        "unknown_user_type": row["user_type"] not in ("", "human", "service", "anonymous"),
    }
    return checks[reason]


def cost(row: Row) -> Decimal:
    if not row["input_tokens"] or row["model"] == UNPRICED_MODEL:
        return Decimal(0)
    usage = Usage(
        input_tokens=count(row, "input_tokens"),
        output_tokens=count(row, "output_tokens"),
        cache_read_tokens=count(row, "cached_input_tokens"),
        cache_write_tokens=count(row, "cache_write_tokens"),
        cache_write_1h_tokens=count(row, "cache_write_1h_tokens"),
    )
    moment = started(row).replace(tzinfo=UTC)
    return calc_price(usage, row["model"], provider_id=row["provider"], genai_request_timestamp=moment).total_price


@pytest.fixture(scope="module")
def deliveries() -> list[Row]:
    return read(BUNDLED / "raw_demo_usage_events.csv")


@pytest.fixture(scope="module")
def events(deliveries: list[Row]) -> list[Row]:
    """The last delivery of each event that keeps the contract, in the order of the calls."""
    latest: dict[str, Row] = {}
    for row in deliveries:
        if any(has_reason(row, reason) for reason in QUARANTINED_ROWS):
            continue
        known = latest.get(row["event_id"])
        if known is None or row["_loaded_at"] > known["_loaded_at"]:
            latest[row["event_id"]] = row
    return sorted(latest.values(), key=lambda row: (row["started_at"], row["event_id"]))


@pytest.fixture(scope="module")
def in_scope(events: list[Row]) -> list[Row]:
    return [row for row in events if row["environment"] == "prod" and row["data_mode"] == "real"]


@pytest.fixture(scope="module")
def labels() -> dict[str, Row]:
    return {row["incident_id"]: row for row in read(BUNDLED / "demo_planted_incidents.csv")}


def during(label: Row, rows: list[Row]) -> list[Row]:
    return [row for row in rows if label["starts_at"] <= row["started_at"] < label["ends_at"]]


def test_same_arguments_give_the_bundled_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "first")
    generate(tmp_path / "second")
    for name in (*FILES, *BILL_FILES):
        written = (tmp_path / "first" / name).read_bytes()
        assert written == (tmp_path / "second" / name).read_bytes()
        assert written == (BUNDLED / name).read_bytes(), f"{name} drifted: run `llm-spend demo generate`"


def test_another_seed_gives_another_log(tmp_path: Path) -> None:
    generate(tmp_path / "seven", days=7, events=500)
    generate(tmp_path / "eight", seed=8, days=7, events=500)
    assert (tmp_path / "seven" / FILES[0]).read_bytes() != (tmp_path / "eight" / FILES[0]).read_bytes()


def test_a_short_log_labels_only_what_it_holds(tmp_path: Path) -> None:
    generate(tmp_path, days=20, events=3000)
    planted = {row["incident_id"]: row for row in read(tmp_path / "demo_planted_incidents.csv")}
    assert "retry_storm" in planted
    assert not planted.keys() & {"prompt_regression", "cache_loss", "runaway_loop", "test_as_production"}
    assert max(row["ends_at"] for row in planted.values()) == "2026-09-20 00:00:00.000000"
    gaps = {row["gap_id"]: row for row in read(tmp_path / "demo_planted_bill_gaps.csv")}
    assert gaps.keys() == {"provisioned_throughput", "opus_discount", "playground_key", "not_yet_booked"}
    assert gaps["provisioned_throughput"]["expected_usd"] == "30.50"
    assert gaps["not_yet_booked"]["starts_at"] == "2026-09-18"
    assert max(row["ends_at"] for row in gaps.values()) == "2026-09-20"


@pytest.mark.parametrize(("days", "events"), [(0, 100), (10, 0)])
def test_an_empty_log_is_refused(tmp_path: Path, days: int, events: int) -> None:
    with pytest.raises(UserError, match="--events and --days"):
        generate(tmp_path, days=days, events=events)


def test_bundled_log_has_the_promised_size(deliveries: list[Row]) -> None:
    assert tuple(deliveries[0]) == EVENT_COLUMNS
    assert 10_000 <= len(deliveries) <= 25_000
    assert (BUNDLED / FILES[0]).stat().st_size < 7_000_000


def test_all_calls_are_within_the_eight_weeks(deliveries: list[Row], events: list[Row]) -> None:
    assert all(DEMO_START <= started(row) < DEMO_AS_OF for row in events)
    assert max(row["_loaded_at"] for row in deliveries) <= DEMO_AS_OF.isoformat(" ", "microseconds")
    assert {started(row).date() for row in events} == {DEMO_START.date() + timedelta(days=n) for n in range(56)}


def test_each_quarantine_reason_has_one_row(deliveries: list[Row], labels: dict[str, Row]) -> None:
    found = [[reason for reason in QUARANTINED_ROWS if has_reason(row, reason)] for row in deliveries]
    assert sorted(reasons for reasons in found if reasons) == sorted([reason] for reason in QUARANTINED_ROWS)
    assert labels["quarantine"]["expected_value"] == str(len(QUARANTINED_ROWS))


def test_rejected_lines_are_labelled(labels: dict[str, Row]) -> None:
    assert labels["rejected"]["expected_value"] == str(len(read(BUNDLED / "raw_demo_rejected_events.csv"))) == "3"


def test_redeliveries_are_counted(deliveries: list[Row], labels: dict[str, Row]) -> None:
    by_event = defaultdict(list)
    for row in deliveries:
        by_event[row["event_id"]].append(row)
    repeated = [rows for rows in by_event.values() if len(rows) > 1]
    assert sum(len(rows) - 1 for rows in repeated) == int(labels["redeliveries"]["expected_value"])
    corrected = sum(rows[0]["output_tokens"] != rows[-1]["output_tokens"] for rows in repeated)
    assert f"{corrected} of them with corrected tokens" in labels["redeliveries"]["description"]
    assert all(rows[0]["_loaded_at"] < rows[1]["_loaded_at"] for rows in repeated)


def test_late_rows_are_counted(deliveries: list[Row], labels: dict[str, Row]) -> None:
    label = labels["late_rows"]
    late = [row for row in during(label, deliveries) if row["tenant_id"] == label["entity_id"]]
    assert all(datetime.fromisoformat(row["_loaded_at"]) - started(row) > timedelta(days=2) for row in late)
    assert len(late) == int(label["expected_value"])


def test_retry_storm_has_its_size(in_scope: list[Row], labels: dict[str, Row]) -> None:
    label = labels["retry_storm"]
    storm = [row for row in during(label, in_scope) if row["endpoint_tag"] == "support.reply"]
    requests = {row["external_request_id"] for row in storm}
    everywhere = [row for row in in_scope if row["external_request_id"] in requests]
    assert len(everywhere) == len(storm), "a request of the storm reaches beyond its days"
    assert f"{len(storm)} attempts for {len(requests)} requests" in label["description"]
    assert float(label["expected_value"]) == pytest.approx(len(storm) / len(requests), abs=1e-6)
    assert 2.5 < len(storm) / len(requests) < 3.5


def test_ordinary_retries_stay_ordinary(in_scope: list[Row]) -> None:
    checkout = [row for row in in_scope if row["endpoint_tag"] == "checkout.summary"]
    requests = len({row["external_request_id"] for row in checkout})
    assert 1.01 < len(checkout) / requests < 1.04


def test_summarizer_v4_costs_22_percent_more(in_scope: list[Row], labels: dict[str, Row]) -> None:
    label = labels["prompt_regression"]
    deployed, after_ends = datetime(2026, 10, 6, 10), datetime(2026, 10, 14)

    def cost_per_request(version: str, since: datetime, until: datetime) -> tuple[float, int]:
        rows = [row for row in in_scope if row["prompt_version"] == version and since <= started(row) < until]
        return float(sum(map(cost, rows))), len({row["external_request_id"] for row in rows})

    _, before_alone = cost_per_request("summarizer_v3", deployed - timedelta(days=7), deployed)
    _, after_alone = cost_per_request("summarizer_v4", datetime(2026, 10, 7), after_ends)
    assert min(before_alone, after_alone) >= 600
    cost_before, before = cost_per_request("summarizer_v3", deployed - timedelta(days=7), after_ends)
    cost_after, after = cost_per_request("summarizer_v4", deployed, after_ends)
    change = (cost_after / after) / (cost_before / before) * 100 - 100
    assert label["expected_value"] == "22"
    assert 17 < change < 27
    assert f"Realised {change:+.1f}%: {before} requests" in label["description"]
    assert f"{after} of v4" in label["description"]
    assert not [row for row in in_scope if row["prompt_version"] == "summarizer_v4" and started(row) < deployed]


def test_runaway_loop_is_one_run(in_scope: list[Row], labels: dict[str, Row]) -> None:
    label = labels["runaway_loop"]
    loop = [row for row in in_scope if row["run_id"] == label["entity_id"]]
    assert loop == [row for row in during(label, loop) if row["status"] == "success"]
    assert len(loop) == int(label["expected_value"])
    assert f"about {sum(map(cost, loop)):.2f} USD" in label["description"]


def test_silent_switch_changes_the_model_only(in_scope: list[Row], labels: dict[str, Row]) -> None:
    label = labels["silent_switch"]
    classify = [row for row in in_scope if row["endpoint_tag"] == "ticket.classify"]
    switched = during(label, classify)
    assert {row["model"] for row in switched} == {"gpt-4o"}
    assert {row["model"] for row in classify if row["started_at"] < label["starts_at"]} == {"gpt-4o-mini"}
    assert {(row["prompt_version"], row["requested_model"]) for row in classify} == {("classifier_v2", "gpt-4o-mini")}
    assert sum(bool(row["input_tokens"]) for row in switched) == int(label["expected_value"])


def test_cache_stops_hitting(in_scope: list[Row], labels: dict[str, Row]) -> None:
    label = labels["cache_loss"]
    review = [row for row in in_scope if row["endpoint_tag"] == "contract.review"]
    missing = [row for row in during(label, review) if row["input_tokens"]]
    assert sum(count(row, "cached_input_tokens") for row in missing) == int(label["expected_value"]) == 0
    assert f"in {len(missing)} attempts" in label["description"]
    before = [row for row in review if row["started_at"] < label["starts_at"] and row["input_tokens"]]
    assert sum(bool(count(row, "cached_input_tokens")) for row in before) / len(before) > 0.75


def test_load_test_looks_like_production(in_scope: list[Row], labels: dict[str, Row]) -> None:
    label = labels["test_as_production"]
    calls = [row for row in in_scope if row["tenant_id"] == "qa-loadtest"]
    assert len(calls) == len(during(label, calls)) == int(label["expected_value"])


def test_new_ids_hide_retries(in_scope: list[Row], labels: dict[str, Row]) -> None:
    label = labels["new_id_per_retry"]
    calls = [
        row for row in in_scope if row["tenant_id"] == "quill-media" and row["endpoint_tag"] == "document.analysis"
    ]
    hidden, failed = 0, {}
    for row in during(label, calls):
        caller = (row["user_id"], row["model"])
        previous = failed.pop(caller, None)
        if previous is not None and started(row) - started(previous) < timedelta(minutes=2):
            assert row["external_request_id"] != previous["external_request_id"]
            hidden += 1
        if row["status"] != "success":
            failed[caller] = row
    assert hidden == int(label["expected_value"])


@pytest.mark.parametrize(
    ("incident_id", "column", "value"),
    [("endpoint_rename", "endpoint_tag", "checkout_summary"), ("tenant_merge", "tenant_id", "brightcart-eu")],
)
def test_old_names_are_counted(
    in_scope: list[Row], labels: dict[str, Row], incident_id: str, column: str, value: str
) -> None:
    label = labels[incident_id]
    old = [row for row in in_scope if row[column] == value]
    assert len(old) == len(during(label, old)) == int(label["expected_value"])


def test_usage_missing_is_counted(events: list[Row], labels: dict[str, Row]) -> None:
    missing = [
        row for row in events if row["status"] == "success" and row["cache_hit"] != "true" and not row["input_tokens"]
    ]
    assert len(missing) == int(labels["usage_missing"]["expected_value"])


def test_tidepool_costs_more_than_it_pays(in_scope: list[Row], labels: dict[str, Row]) -> None:
    october = [row for row in in_scope if row["tenant_id"] == "tidepool" and started(row).month == 10]
    assert sum(map(cost, october)) > Decimal(labels["unprofitable_tenant"]["expected_value"])


def test_support_bot_nearly_spends_its_day(in_scope: list[Row], labels: dict[str, Row]) -> None:
    label = labels["budget_nearly_spent"]
    spent = sum(cost(row) for row in during(label, in_scope) if row["agent_id"] == label["entity_id"])
    assert label["expected_value"] == f"{spent:.2f}" == "47.32"
    (daily,) = [
        Decimal(row["amount_usd"])
        for row in read(BUNDLED / "demo_budgets.csv")
        if (row["scope_id"], row["period"]) == (label["entity_id"], "daily")
    ]
    assert daily == 50
    # 47.32 ÷ 50 = 0.9464
    assert "47.32 of the agent's daily 50.00 USD: 94.6%" in label["description"]


def test_the_backlog_is_answered_at_an_even_pace(in_scope: list[Row], labels: dict[str, Row]) -> None:
    label = labels["backlog_day"]
    calls = [row for row in in_scope if row["api_key_id"] == "key_success_prod"]
    assert calls == during(label, calls)
    assert len(calls) == len({row["external_request_id"] for row in calls}) == int(label["expected_value"])
    assert {(row["endpoint_tag"], row["agent_id"]) for row in calls} == {("support.reply", "support_bot_v2")}
    assert f"{sum(map(cost, calls)):.2f} USD" in label["description"]
    assert "tidepool" not in {row["tenant_id"] for row in calls}
    day = [row for row in during(label, in_scope) if row["agent_id"] == "support_bot_v2"]
    hourly = [float(sum(cost(row) for row in day if started(row).hour == hour)) for hour in range(24)]
    # 47.32 ÷ 24 = 1.97, and each hour ends within one answer of its due
    assert all(abs(spent - 1.97) < 1 for spent in hourly)


def test_the_backlog_leaves_every_other_row_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never = replace(incidents.BACKLOG_DAY, starts_at=DEMO_AS_OF, ends_at=DEMO_AS_OF)
    monkeypatch.setattr(incidents, "BACKLOG_DAY", never)
    generate(tmp_path)

    def rows(folder: Path) -> list[Row]:
        places = ("_source_line", "_row_hash")
        return [{name: row[name] for name in EVENT_COLUMNS if name not in places} for row in read(folder / FILES[0])]

    without = rows(tmp_path)
    assert without == [row for row in rows(BUNDLED) if row["api_key_id"] != "key_success_prod"]
    assert not {"backlog_day", "budget_nearly_spent"} & {row["incident_id"] for row in read(tmp_path / FILES[2])}


@pytest.mark.parametrize(
    # 47.32 × 1,800 ÷ 18,000 = 4.732 and 47.32 × 36,000 ÷ 18,000 = 94.64; of 5 and of 100
    ("events", "label"),
    [(1_800, "4.73 of the agent's daily 5.00"), (36_000, "94.64 of the agent's daily 100.00")],
)
def test_the_backlog_grows_with_the_log(tmp_path: Path, events: int, label: str) -> None:
    generate(tmp_path, events=events)
    (planted,) = [row for row in read(tmp_path / FILES[2]) if row["incident_id"] == "budget_nearly_spent"]
    assert f"{label} USD: 94.6%" in planted["description"]


def test_all_models_but_one_have_a_price(in_scope: list[Row]) -> None:
    models = {(row["provider"], row["model"]): row for row in in_scope if row["input_tokens"]}
    free = {model for (_, model), row in models.items() if cost(row) == 0}
    assert free == {UNPRICED_MODEL}
    assert {provider for provider, _ in models} == {"openai", "anthropic", "google", "openrouter", "internal"}


def test_the_bill_tells_the_intended_story(in_scope: list[Row]) -> None:
    spent: dict[str, float] = defaultdict(float)
    for row in in_scope:
        usd = float(cost(row))
        for name in ("total", row["provider"], row["tenant_id"], row["endpoint_tag"].replace("_", ".")):
            spent[name] += usd
    assert 2_500 < spent["total"] < 3_500
    assert spent["enterprise-alpha"] / spent["total"] == pytest.approx(0.26, abs=0.05)
    assert spent["checkout.summary"] / spent["openai"] == pytest.approx(0.31, abs=0.03)


def test_the_demo_is_judged_from_the_moment_its_data_ends() -> None:
    macro = (project_dir() / "macros" / "governance" / "as_of.sql").read_text(encoding="utf-8")
    assert f"'{DEMO_AS_OF:%Y-%m-%d %H:%M:%S}'" in macro


GAP_CELLS = {
    "provisioned_throughput": ("", "provisioned throughput, gpt-4.1"),
    "opus_discount": ("proj_documents", "claude-opus-4-5"),
    "playground_key": ("proj_sandbox", "gpt-4o"),
    "late_true_up": ("proj_checkout", "gpt-4.1"),
    "reasoning_dropped": ("proj_research", "gpt-5.2"),
    "web_searches": ("proj_research", "web search tool calls"),
}
"""The project and the model, or else the line, of each planted gap but the one that is in all models."""


def ended(row: Row) -> date:
    return (started(row) + timedelta(milliseconds=count(row, "latency_ms"))).date()


def price_book_name(provider: str, model: str) -> str:
    return calc_price(Usage(input_tokens=1), model, provider_id=provider).model.id


@pytest.fixture(scope="module")
def calls_billed(events: list[Row]) -> list[Row]:
    """The calls that OpenAI and Anthropic have seen by the end of the log, wherever they came from."""
    return [
        row
        for row in events
        if row["provider"] in ("openai", "anthropic") and row["input_tokens"] and ended(row) < DEMO_AS_OF.date()
    ]


@pytest.fixture(scope="module")
def bill() -> dict[str, list[Row]]:
    return {name: read(BUNDLED / name) for name in BILL_FILES}


def gap_days(gap: Row) -> tuple[date, date]:
    return date.fromisoformat(gap["starts_at"]), date.fromisoformat(gap["ends_at"])


def test_bills_have_the_columns_that_an_ingest_lands(bill: dict[str, list[Row]]) -> None:
    for name, table in BILL_TABLES.items():
        assert tuple(bill[name][0]) == (*table.kinds, "_dlt_valid_from", "_dlt_valid_to")
        for row in bill[name]:
            table.row({column: _said(row[column]) for column in table.kinds})
    assert sum((BUNDLED / name).stat().st_size for name in BILL_FILES) < 600_000


def _said(text: str) -> object:
    return {"": None, "true": True, "false": False}.get(text, text)


def test_each_day_was_fetched_at_the_end(bill: dict[str, list[Row]]) -> None:
    fetched = Counter((row["provider"], row["report"]) for row in bill["raw_demo_bills_periods.csv"])
    assert fetched == {(provider, report): 56 for provider in ("openai", "anthropic") for report in ("usage", "costs")}
    assert {row["fetched_at"] for row in bill["raw_demo_bills_periods.csv"]} == {f"{DEMO_AS_OF}.000000"}


def test_the_providers_counted_each_call_once(calls_billed: list[Row], bill: dict[str, list[Row]]) -> None:
    ours: dict[tuple, Counter[str]] = defaultdict(Counter)
    for row in calls_billed:
        key = row["provider"], str(ended(row)), row["project_id"], row["api_key_id"], row["model"]
        ours[key] += Counter(
            requests=row["provider"] == "openai",
            input=count(row, "input_tokens"),
            cached=count(row, "cached_input_tokens"),
            written=count(row, "cache_write_tokens"),
            written_1h=count(row, "cache_write_1h_tokens"),
            output=count(row, "output_tokens"),
            batch=row["service_tier"] == "batch",
        )
    theirs: dict[tuple, Counter[str]] = {}
    for row in bill["raw_demo_openai_usage.csv"]:
        if row["usage_kind"] == "completions" and row["api_key_id"] != "key_playground":
            model = price_book_name("openai", row["model"])
            theirs["openai", row["usage_date"], row["project_id"], row["api_key_id"], model] = Counter(
                requests=count(row, "num_model_requests"),
                input=count(row, "input_tokens"),
                cached=count(row, "input_cached_tokens"),
                output=count(row, "output_tokens"),
                batch=count(row, "num_model_requests") if row["batch"] == "true" else 0,
            )
    for row in bill["raw_demo_anthropic_usage.csv"]:
        written_1h = count(row, "cache_creation_1h_input_tokens")
        written = written_1h + count(row, "cache_creation_5m_input_tokens")
        cached = count(row, "cache_read_input_tokens")
        model = price_book_name("anthropic", row["model"])
        theirs["anthropic", row["usage_date"], row["workspace_id"], row["api_key_id"], model] = Counter(
            input=count(row, "uncached_input_tokens") + cached + written,
            cached=cached,
            written=written,
            written_1h=written_1h,
            output=count(row, "output_tokens"),
        )
    for (_, day, _, _, model), used in ours.items():
        if model == "gpt-5.2" and "2026-09-22" <= day < "2026-09-25":
            used["output"] += used["output"] // 8
    assert ours == theirs


def test_bills_are_the_list_prices_and_the_planted_gaps(calls_billed: list[Row], bill: dict[str, list[Row]]) -> None:
    left: dict[tuple[str, str, str, date], Decimal] = defaultdict(Decimal)
    for row in calls_billed:
        share = Decimal("0.5") if row["service_tier"] == "batch" else 1
        left[row["provider"], row["project_id"], row["model"], ended(row)] -= share * cost(row)
    for row in bill["raw_demo_openai_costs.csv"]:
        if not row["_dlt_valid_to"]:
            name = row["line_item"].partition(", ")[0]
            model = price_book_name("openai", name) if name.startswith("gpt-") else row["line_item"]
            day = date.fromisoformat(row["usage_date"])
            left["openai", row["project_id"], model, day] += Decimal(row["amount"])
    for row in bill["raw_demo_anthropic_costs.csv"]:
        model, day = price_book_name("anthropic", row["model"]), date.fromisoformat(row["usage_date"])
        left["anthropic", row["workspace_id"], model, day] += Decimal(row["amount_cents"]) / 100

    for gap in sorted(bill["demo_planted_bill_gaps.csv"], key=lambda gap: gap["gap_id"] not in GAP_CELLS):
        (first, end), cell = gap_days(gap), GAP_CELLS.get(gap["gap_id"])
        mine = [
            (provider, project, model, day)
            for provider, project, model, day in left
            if provider == gap["provider"] and cell in (None, (project, model)) and first <= day < end
        ]
        assert round(sum(left.pop(place) for place in mine), 2) == Decimal(gap["expected_usd"]), gap["gap_id"]
    assert not {place: usd for place, usd in left.items() if usd}


def test_searches_are_billed_by_the_cent(calls_billed: list[Row], bill: dict[str, list[Row]]) -> None:
    searches = [row for row in calls_billed if row["call_name"] == "search" and ended(row) >= date(2026, 10, 1)]
    lines = [row for row in bill["raw_demo_openai_costs.csv"] if row["line_item"] == "web search tool calls"]
    counted = [row for row in bill["raw_demo_openai_usage.csv"] if row["usage_kind"] == "web_search_calls"]
    assert sum(count(row, "num_requests") for row in counted) == len(searches)
    assert sum(Decimal(row["amount"]) for row in lines) == Decimal("0.01") * len(searches)


def test_the_true_up_keeps_the_bill_that_it_replaced(bill: dict[str, list[Row]]) -> None:
    old, new = [
        row
        for row in bill["raw_demo_openai_costs.csv"]
        if (row["usage_date"], row["api_key_id"], row["line_item"])
        == ("2026-09-15", "key_checkout_prod", "gpt-4.1-2025-04-14, output")
    ]
    assert old["_dlt_valid_to"] == new["_dlt_valid_from"] == "2026-09-29 00:00:00.000000"
    assert Decimal(new["amount"]) - Decimal(old["amount"]) == Decimal("4.80")
    retired = [row for name in BILL_TABLES for row in bill[name] if row["_dlt_valid_to"]]
    assert retired == [old]
