"""LiteLLM's spend logs and its payloads: the same calls become the same events, whichever of the two tells them."""

from pathlib import Path

import pytest

from conftest import build_sources, query

DATA = Path(__file__).resolve().parents[1] / "data" / "sources" / "litellm"
PAYLOADS, ROWS, EXPORT = "proxy-payloads.jsonl", "spend-logs.jsonl", "spend-logs.csv"

USED = (
    *("provider", "model", "requested_model", "status", "cache_hit", "tenant_id", "user_id", "team", "api_key_id"),
    *("run_id", "external_request_id", "feature_name", "input_tokens", "output_tokens", "cached_input_tokens"),
    *("cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens", "reported_cost_usd", "left_out_reason"),
)
Events = dict[str, dict[str, object]]


@pytest.fixture(scope="module")
def staged(module_path: Path) -> dict[str, Events]:
    """The staged events of each file, by id. The files hold the same calls: only staging may see them together."""
    logs = {DATA / PAYLOADS: "litellm-payload", DATA / ROWS: "litellm", DATA / EXPORT: "litellm"}
    database = build_sources(module_path / "spend.duckdb", logs, "stg_litellm__spend_logs")
    events: dict[str, Events] = {PAYLOADS: {}, ROWS: {}, EXPORT: {}}
    columns = (*USED, "attempt_number", "latency_ms", "started_at")
    for file, event_id, *values in query(
        database, f"select _source_file, event_id, {', '.join(columns)} from staging.stg_litellm__spend_logs"
    ):
        events[Path(file).name][event_id] = dict(zip(columns, values, strict=True))
    return events


def test_csv_and_json_of_the_table_are_the_same_events(staged: dict[str, Events]) -> None:
    assert staged[EXPORT]
    for event_id, event in staged[EXPORT].items():
        assert event == staged[ROWS][event_id]


def test_a_payload_is_the_event_of_its_spend_log(staged: dict[str, Events]) -> None:
    # A hit's id ends in the second at which each log was written.
    shared = {key for key in staged[PAYLOADS].keys() & staged[ROWS].keys() if "_cache_hit" not in key}
    assert len(shared) == 7
    for event_id in shared:
        payload, row = staged[PAYLOADS][event_id], staged[ROWS][event_id]
        different = {name for name in USED if payload[name] != row[name]}
        if row["requested_model"] == "flaky":  # the payload knows only the group that answered
            different -= {"requested_model"}
        if row["left_out_reason"]:  # the table hides the name of a model that does not exist
            different -= {"model", "requested_model"}
        assert not different, event_id
        if row["status"] == "success":
            assert abs(payload["latency_ms"] - row["latency_ms"]) <= 1


def test_only_the_payload_has_a_row_for_an_attempt_that_was_retried(staged: dict[str, Events]) -> None:
    alone = [staged[PAYLOADS][key] for key in staged[PAYLOADS].keys() - staged[ROWS].keys() if "_cache_hit" not in key]
    answered = {row["external_request_id"] for row in staged[ROWS].values() if row["status"] == "success"}
    assert [event["status"] for event in alone] == ["error", "error"]
    assert {event["external_request_id"] for event in alone} <= answered
