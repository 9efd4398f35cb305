"""The presets for OpenRouter, Vercel AI Gateway, Portkey and PostHog: each sample's fields, worked out by hand."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from llm_spend.errors import UserError
from llm_spend.ingest.load import LoadReport, Rejection, load
from llm_spend.ingest.mapping import Mapping, parse_mapping, read_mapping
from llm_spend.ingest.schema import EVENT_COLUMNS, TOKEN_FLAGS

SAMPLES = Path(__file__).resolve().parents[1] / "data" / "flat_logs"
LOADED_AT = datetime(2026, 10, 1)


def loaded(database: Path, log: Path, mapping: str | Mapping) -> tuple[LoadReport, list[dict[str, Any]]]:
    """What the load says, and each event without its empty fields."""
    parsed = read_mapping(mapping) if isinstance(mapping, str) else mapping
    report = load(database, [str(log)], parsed, LOADED_AT)
    columns = ", ".join(column.name for column in (*EVENT_COLUMNS, *TOKEN_FLAGS))
    with duckdb.connect(str(database), read_only=True) as connection:
        rows = connection.execute(f"select {columns} from raw.raw_usage_events order by _source_line")
        names = [name for name, *_ in rows.description]
        events = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    return report, [{name: value for name, value in event.items() if value is not None} for event in events]


def landed(tmp_path: Path, mapping: Mapping, *rows: dict[str, Any]) -> tuple[LoadReport, list[dict[str, Any]]]:
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return loaded(tmp_path / "spend.duckdb", log, mapping)


def test_openrouter(tmp_path: Path) -> None:
    report, events = loaded(tmp_path / "spend.duckdb", SAMPLES / "openrouter.csv", "openrouter")
    assert (report.accepted, report.rejected) == (3, 0)
    assert events == [
        {
            "event_id": "gen-1788600000-aaaa",
            # The id holds the same moment as unix seconds: the export is in UTC.
            "started_at": datetime.fromtimestamp(1788600000.125, UTC).replace(tzinfo=None),
            "provider": "openrouter",
            "model": "openai/gpt-4.1-2025-04-14",
            "agent_id": "Help Desk",
            "user_id": "user-7",
            "api_key_id": "prod-key",
            "input_tokens": 187763,
            "output_tokens": 748,
            "cached_input_tokens": 185600,
            "reasoning_tokens": 81,
            "status": "success",
            "latency_ms": 32595,
            "reported_cost_usd": Decimal("0.003244"),
        },
        {
            "event_id": "gen-1788600060-bbbb",
            "started_at": datetime(2026, 9, 5, 9, 21),
            "provider": "openrouter",
            "model": "openai/gpt-4.1-2025-04-14",
            "agent_id": "Help Desk",
            "api_key_id": "prod-key",
            "input_tokens": 120,
            "output_tokens": 0,
            "cached_input_tokens": 0,
            "reasoning_tokens": 0,
            "status": "cancelled",
            "latency_ms": 410,
            "reported_cost_usd": Decimal(0),
        },
        {
            "event_id": "gen-1788600120-cccc",
            "started_at": datetime(2026, 9, 5, 23, 59, 59, 999000),
            "provider": "openrouter",
            "model": "meta-llama/llama-4-scout-17b-16e-instruct",
            "api_key_id": "batch-key",
            "status": "error",
            "latency_ms": 1475,
            "reported_cost_usd": Decimal("0.00001"),
        },
    ]


def test_vercel_ai_gateway(tmp_path: Path) -> None:
    report, events = loaded(tmp_path / "spend.duckdb", SAMPLES / "vercel-ai-gateway.jsonl", "vercel-ai-gateway")
    # The answer for an unknown id is no event: without time and model the models quarantine it.
    assert (report.accepted, report.rejected) == (3, 0)
    assert events[0] == {
        "event_id": "gen_01AAA",
        "started_at": datetime(2026, 5, 22),
        "provider": "anthropic",
        "model": "anthropic/claude-opus-4.7",
        "input_tokens": 1100,
        "output_tokens": 50,
        "cached_input_tokens": 600,
        "cache_write_tokens": 300,
        "reasoning_tokens": 20,
        "web_search_requests": 2,
        "latency_ms": 1500,
        "reported_cost_usd": Decimal("0.00123"),
    }
    assert events[1] == {
        "event_id": "gen_01BBB",
        "started_at": datetime(2026, 5, 22, 8, 30, 15, 250000),
        "provider": "openai",
        "model": "openai/gpt-5.2",
        "input_tokens": 10,
        "output_tokens": 5,
        "cached_input_tokens": 0,
        "cache_write_tokens": 0,
        "reasoning_tokens": 0,
        "web_search_requests": 0,
        "latency_ms": 2500,
        "reported_cost_usd": Decimal(0),
    }
    assert set(events[2]) == {"event_id"}


def test_portkey(tmp_path: Path) -> None:
    report, events = loaded(tmp_path / "spend.duckdb", SAMPLES / "portkey.jsonl", "portkey")
    assert report.files[0].first_rejections == (
        Rejection(5, "reported_cost_usd (from cost) is '0.6 cents', not a decimal number"),
    )
    assert events == [
        {
            "event_id": "log-1",
            "started_at": datetime(2026, 8, 3, 10),
            "provider": "openai",
            "model": "gpt-4o-2024-08-06",
            "run_id": "trace-1",
            "endpoint_tag": "pp-summary",
            "user_id": "user-7",
            "input_tokens": 1200,
            "output_tokens": 300,
            "total_tokens": 1500,
            "status": "success",
            "latency_ms": 1840,
            # 0.60012345678901 cents; the thirteenth decimal of a dollar is rounded away
            "reported_cost_usd": Decimal("0.006001234568"),
            "tags": '{"_user":"user-7","tenant":"acme"}',
        },
        {
            "event_id": "log-2",
            "started_at": datetime(2026, 8, 3, 10, 0, 1),
            "provider": "anthropic",
            "model": "claude-sonnet-4-5",
            "run_id": "trace-1",
            "input_tokens": 10,
            "output_tokens": 20,
            "total_tokens": 30,
            "status": "success",
            "latency_ms": 95,
            "reported_cost_usd": Decimal("0.00000012"),
            "tags": "{}",
        },
        {
            "event_id": "log-3",
            "started_at": datetime(2026, 8, 3, 10, 0, 2),
            "provider": "openai",
            "model": "gpt-4o-2024-08-06",
            "run_id": "trace-2",
            "input_tokens": 0,
            "output_tokens": 0,
            "total_tokens": 0,
            "status": "rate_limited",
            "error_code": "429",
            "latency_ms": 30,
            "reported_cost_usd": Decimal(0),
        },
        {
            "event_id": "log-4",
            "started_at": datetime(2026, 8, 3, 10, 0, 3),
            "provider": "openai",
            "model": "gpt-4o-2024-08-06",
            "run_id": "trace-3",
            "status": "error",
            "error_code": "446",
            "latency_ms": 5,
        },
    ]


@pytest.mark.parametrize(
    ("logged", "is_hit"), [("HIT", True), ("SEMANTIC HIT", True), ("MISS", False), ("DISABLED", False), (None, None)]
)
def test_portkeys_own_cache_in_older_exports(tmp_path: Path, logged: str | None, is_hit: bool | None) -> None:
    call = json.loads((SAMPLES / "portkey.jsonl").read_text(encoding="utf-8").splitlines()[0])
    older = {**call, "cache_status": logged, "prompt_version_id": "3"}
    _, (event,) = landed(tmp_path, read_mapping("portkey"), older)
    assert (event.get("cache_hit"), event["prompt_version"]) == (is_hit, "3")


def test_posthog(tmp_path: Path) -> None:
    report, events = loaded(tmp_path / "spend.duckdb", SAMPLES / "posthog.jsonl", "posthog")
    file = report.files[0]
    assert (file.rows, file.accepted, file.left_out, file.rejected) == (8, 5, 2, 1)
    assert file.first_rejections == (
        Rejection(8, "input_tokens (from properties.$ai_input_tokens) is 'many', not a whole number"),
    )
    assert events == [
        {
            "event_id": "01-a",
            "started_at": datetime(2026, 9, 1, 10, 0, 0, 123000),
            "provider": "openai",
            "model": "gpt-5-mini",
            "run_id": "trace-1",
            "endpoint_tag": "summarize_text",
            "user_id": "user-7",
            "input_tokens": 2000,
            "output_tokens": 300,
            "cached_input_tokens": 1500,
            "reasoning_tokens": 120,
            "web_search_requests": 1,
            "status": "success",
            "latency_ms": 1235,
            "reported_cost_usd": Decimal("0.00123456"),
            "_input_includes_cache": True,
            "_output_includes_reasoning": True,
        },
        {
            "event_id": "01-b",
            "started_at": datetime(2026, 9, 1, 10, 0, 2),
            "provider": "anthropic",
            "model": "claude-sonnet-4-5",
            "run_id": "trace-2",
            "user_id": "user-8",
            "input_tokens": 100,
            "output_tokens": 50,
            "cached_input_tokens": 900,
            "cache_write_tokens": 400,
            "cache_write_1h_tokens": 150,
            "latency_ms": 2000,
            "_input_includes_cache": False,
            "_output_includes_reasoning": True,
        },
        {
            "event_id": "01-d",
            "started_at": datetime(2026, 9, 1, 10, 0, 4),
            "provider": "anthropic",
            "model": "claude-sonnet-4-5",
            "run_id": "trace-3",
            "user_id": "user-7",
            "status": "rate_limited",
            "error_code": "429",
            "latency_ms": 0,
            "_input_includes_cache": False,
            "_output_includes_reasoning": True,
        },
        {
            "event_id": "01-e",
            "started_at": datetime(2026, 9, 1, 10, 0, 5),
            "provider": "gemini",
            "model": "gemini-2.5-flash",
            "run_id": "trace-4",
            "user_id": "user-7",
            "input_tokens": 40,
            "output_tokens": 10,
            "reasoning_tokens": 90,
            "status": "error",
            "_input_includes_cache": True,
            "_output_includes_reasoning": False,
        },
        {
            "event_id": "01-f",
            "started_at": datetime(2026, 9, 1, 10, 0, 6),
            "provider": "openai",
            "model": "text-embedding-3-small",
            "run_id": "trace-1",
            "user_id": "user-7",
            "input_tokens": 12,
            "_input_includes_cache": True,
            "_output_includes_reasoning": True,
        },
    ]


def test_posthog_as_parquet_holds_the_properties_as_text(tmp_path: Path) -> None:
    parquet = tmp_path / "posthog.parquet"
    duckdb.sql(
        f"""
        select * replace (cast(properties as varchar) as properties, timestamp at time zone 'UTC' as timestamp)
        from read_json('{SAMPLES / "posthog.jsonl"}', columns = {{
            uuid: 'varchar', event: 'varchar', distinct_id: 'varchar', properties: 'json', timestamp: 'timestamptz'
        }})
        """
    ).write_parquet(str(parquet))
    _, from_lines = loaded(tmp_path / "lines.duckdb", SAMPLES / "posthog.jsonl", "posthog")
    report, from_parquet = loaded(tmp_path / "parquet.duckdb", parquet, "posthog")
    assert (report.accepted, report.files[0].left_out, report.rejected) == (5, 2, 1)
    assert from_parquet == from_lines


# Rows of another kind


ONLY = parse_mapping("only: {kind: [call, embedding]}", "m.yml")
CALL = {"started_at": "2025-03-01T10:00:00Z", "model": "gpt-4o", "kind": "call"}


def test_rows_of_another_kind_are_counted_and_not_kept(tmp_path: Path) -> None:
    rows = [CALL, {**CALL, "kind": "embedding"}, {"kind": "click", "input_tokens": "secret"}, {**CALL, "kind": None}]
    report, events = landed(tmp_path, ONLY, *rows)
    file = report.files[0]
    # A row that does not say what it is may be a call.
    assert (file.accepted, file.left_out, file.rejected, len(events)) == (3, 1, 0, 3)
    with duckdb.connect(str(tmp_path / "spend.duckdb"), read_only=True) as connection:
        assert connection.execute("select * from raw.raw_rejected_events").fetchall() == []
        counts = "select event_count, rejected_count, left_out_count from raw.raw_loaded_files"
        assert connection.execute(counts).fetchall() == [(3, 0, 1)]
    again, _ = landed(tmp_path, ONLY, *rows)
    assert (again.files[0].is_skipped, again.files[0].left_out, again.files[0].rows) == (True, 1, 4)


def test_a_broken_row_is_rejected_whatever_its_kind(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps(CALL) + '\n{"kind": "click", \n', encoding="utf-8")
    report, _ = loaded(tmp_path / "spend.duckdb", log, ONLY)
    assert (report.accepted, report.files[0].left_out, report.rejected) == (1, 0, 1)


def test_a_load_that_hashes_ids_leaves_rows_out_too(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    rows = [{**CALL, "user_id": "a"}, {"kind": "click", "user_id": "b"}]
    log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = load(tmp_path / "spend.duckdb", [str(log)], ONLY, LOADED_AT, hash_salt="pepper", hash_fields=["user_id"])
    assert (report.accepted, report.files[0].left_out) == (1, 1)


def test_a_log_without_one_call_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not one row is a call, 2 are of another kind and were left out"):
        landed(tmp_path, ONLY, {**CALL, "kind": "click"}, {**CALL, "kind": "view"})


def test_a_log_that_does_not_say_what_a_row_is(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no row has the column kind, by which mapping m\.yml tells calls from other"):
        landed(tmp_path, ONLY, {"started_at": "2025-03-01T10:00:00Z", "model": "gpt-4o"})


def test_a_database_of_before_counts_what_it_leaves_out(tmp_path: Path) -> None:
    landed(tmp_path, ONLY, CALL)
    with duckdb.connect(str(tmp_path / "spend.duckdb")) as connection:
        connection.execute("alter table raw.raw_loaded_files drop column left_out_count")
    assert landed(tmp_path, ONLY, CALL)[0].files[0].left_out == 0
    assert landed(tmp_path, ONLY, CALL, {"kind": "click"})[0].files[0].left_out == 1


# Units and token flags


@pytest.mark.parametrize(
    ("unit", "logged", "dollars"),
    [
        ("cents", "0.1", "0.001"),
        ("cents", "100000000000.1234567891", "1000000000.001234567891"),
        ("dollars", "0.1", "0.1"),
    ],
)
def test_money_is_exact_in_every_unit(tmp_path: Path, unit: str, logged: str, dollars: str) -> None:
    mapping = parse_mapping(f"fields: {{reported_cost_usd: {{from: cost, unit: {unit}}}}}", "m.yml")
    _, (event,) = landed(tmp_path, mapping, {**CALL, "cost": logged})
    assert event["reported_cost_usd"] == Decimal(dollars)


def test_a_token_flag_that_is_neither_true_nor_false_rejects_its_row(tmp_path: Path) -> None:
    mapping = parse_mapping("input_includes_cache: {from: style}", "m.yml")
    report, events = landed(tmp_path, mapping, {**CALL, "style": "beside"}, {**CALL, "style": "false"}, CALL)
    assert report.files[0].first_rejections == (
        Rejection(1, "input_includes_cache (from style) is 'beside', not true or false"),
    )
    assert [event.get("_input_includes_cache") for event in events] == [False, None]


def test_a_token_flag_of_a_column_that_the_log_lacks(tmp_path: Path) -> None:
    mapping = parse_mapping("input_includes_cache: {from: style}", "m.yml")
    with pytest.raises(UserError, match=r"no row has the column style, from which mapping m\.yml takes input_includes"):
        landed(tmp_path, mapping, CALL)


def test_each_column_is_translated_before_the_next_is_asked(tmp_path: Path) -> None:
    mapping = parse_mapping(
        "fields: {status: {from: [code, failed], values: {200: null, true: error, 429: rate_limited}}}", "m.yml"
    )
    rows = [{"code": 200, "failed": True}, {"code": 429, "failed": True}, {"code": 200}, {"code": 418}]
    _, events = landed(tmp_path, mapping, *({**CALL, **row} for row in rows))
    assert [event.get("status") for event in events] == ["error", "rate_limited", None, "418"]
