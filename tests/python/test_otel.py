"""Spans that come in two files: what the second one shows changes what the first one said."""

import json
from pathlib import Path

import pytest

from conftest import build_sources, query, run_cli, write_jsonl

CALL = {"gen_ai.operation.name": "chat", "gen_ai.response.model": "gpt-4o-mini", "gen_ai.usage.input_tokens": "1000"}
SECRET = "where is my parcel"


def _span(span_id: str, parent: str, scope: str, **attributes: str) -> dict[str, object]:
    return {
        "trace_id": "t",
        "span_id": span_id,
        "parent_span_id": parent,
        "name": span_id,
        "scope_name": scope,
        "started_at": "2026-11-20 08:00:00",
        "ended_at": "2026-11-20 08:00:01.25",
        "status_code": "Ok",
        "span_attributes": attributes,
        "resource_attributes": json.dumps({"service.name": "shop"}),
    }


@pytest.mark.slow
def test_a_late_span_names_the_tenant_and_takes_the_place_of_the_one_around_it(tmp_path: Path) -> None:
    outer = _span("outer", "root", "one", **CALL, **{"gen_ai.response.id": "r1", "gen_ai.input.messages": SECRET})
    first = write_jsonl(tmp_path / "first.jsonl", [outer])
    late = write_jsonl(
        tmp_path / "late.jsonl",
        [_span("inner", "outer", "two", **CALL), _span("root", "", "app", **{"llm_spend.tenant_id": "acme"})],
    )
    database = build_sources(tmp_path / "spend.duckdb", {first: "otel-spans"}, "spend_coverage")
    calls = "select event_id, tenant_id, response_id, latency_ms, feature_name from marts.fct_llm_attempts"
    assert query(database, calls) == [("outer", "(unattributed)", "r1", 1250, "shop")]
    build_sources(database, {late: "otel-spans"}, "spend_coverage")
    assert query(database, calls) == [("inner", "acme", "r1", 1250, "shop")]
    counted = "select raw_rows, accepted_rows, left_out_rows, raw_rows_gone from marts.spend_coverage"
    assert query(database, counted) == [(3, 1, 2, 0)]
    ((landed,),) = query(database, "select string_agg(span_attributes) from raw.raw_otel_spans")
    assert SECRET not in landed


@pytest.mark.parametrize("file", ["otel-genai-openai", "openinference-openai", "openinference-anthropic"])
def test_no_prompt_and_no_answer_lands(tmp_path: Path, file: str) -> None:
    sample = Path(__file__).parents[1] / "data" / "sources" / "otel" / f"{file}.jsonl"
    database = tmp_path / "spend.duckdb"
    loaded = run_cli("load", "--events", sample, "--mapping", "otel", "--db", database)
    assert loaded.returncode == 0, loaded.stderr
    assert " rows loaded" in loaded.stdout  # a span is not always a call
    ((landed,),) = query(database, "select lower(string_agg(span_attributes)) from raw.raw_otel_spans")
    assert not [word for word in ("parcel", "depot", "order_id") if word in landed]
