"""Logs of other systems: every call of each sample, as worked out by hand from the system's own documentation.

`tests/data/sources/SOURCE/truth.json` holds one object per call that must be counted, tokens in the inclusive form.
"""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import build_sources, query

DATA = Path(__file__).resolve().parents[1] / "data" / "sources"
SAMPLES = {
    "helicone": {"helicone/requests.jsonl": "helicone"},
    "otel": {path.relative_to(DATA).as_posix(): "otel" for path in sorted((DATA / "otel").glob("*.jsonl"))},
}
"""The files of each source, and the mapping of each."""

COMPARED = (
    *("provider", "model", "status", "input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens"),
    *("cache_write_1h_tokens", "reasoning_tokens", "reported_cost_usd", "latency_ms", "cache_hit"),
)
PARTS = ("cached_input_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens")
"""A part that a log does not mention is none: 0 and null are alike."""


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All samples in one database."""
    logs = {DATA / file: mapping for files in SAMPLES.values() for file, mapping in files.items()}
    return build_sources(tmp_path_factory.mktemp("sources") / "sources.duckdb", logs, "spend_coverage", "merged_calls")


@pytest.mark.parametrize("source", SAMPLES)
def test_every_call_is_as_worked_out_by_hand(warehouse: Path, source: str) -> None:
    truth = json.loads((DATA / source / "truth.json").read_text(encoding="utf-8"))
    rows = query(
        warehouse, f"select event_id, {', '.join(COMPARED)} from marts.fct_llm_attempts where source = ?", source
    )
    counted = {event_id: dict(zip(COMPARED, values, strict=True)) for event_id, *values in rows}
    assert sorted(counted) == sorted(call["event_id"] for call in truth)
    for call in truth:
        expected = {name: call.get(name) for name in COMPARED}
        found = dict(counted[call["event_id"]])
        if expected["reported_cost_usd"] is not None:
            expected["reported_cost_usd"] = Decimal(expected["reported_cost_usd"])
        for part in PARTS:
            expected[part], found[part] = expected[part] or 0, found[part] or 0
        assert found == expected, call["case"]


def test_every_row_went_somewhere(warehouse: Path) -> None:
    sums = query(
        warehouse,
        """
        select source, raw_rows, accepted_rows + duplicate_rows + merged_rows + quarantined_rows + rejected_rows
            + left_out_rows, raw_rows_gone
        from marts.spend_coverage
        """,
    )
    assert {source for source, *_ in sums} == set(SAMPLES)
    for source, raw, told, gone in sums:
        assert (raw, 0) == (told, gone), source
