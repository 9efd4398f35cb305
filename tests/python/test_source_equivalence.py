"""The same calls in every system's log: each alone gives the same tokens and money, all together count each call once.

LLM_SPEND_CALLS is how many calls: 10,000 by `make test-sources`, fewer in `make test`.
"""

import os
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import build_sources, query
from source_shapes import SHAPES, Call, is_told, lines, random_calls

pytestmark = pytest.mark.slow

CALLS = int(os.environ.get("LLM_SPEND_CALLS", "1000"))
APART = timedelta(days=20)
"""Each source's calls alone are of a time of their own: records of one call are never so far apart."""

# USD per million tokens: fresh input, cached, cache write (five minutes), output. From the providers' price pages.
PRICES = {
    "gpt-4o-2024-08-06": ("2.50", "1.25", "0", "10"),
    "gpt-4.1-mini-2025-04-14": ("0.40", "0.10", "0", "1.60"),
    "claude-sonnet-4-5-20250929": ("3", "0.30", "3.75", "15"),
    "claude-haiku-4-5-20251001": ("1", "0.10", "1.25", "5"),
}


def cost(call: Call) -> Decimal:
    """By hand: each kind of token at its price, per million."""
    tokens = (call.fresh, call.cached, call.written, call.output_tokens)
    prices = map(Decimal, PRICES[call.model])
    return sum((count * price for count, price in zip(tokens, prices, strict=True)), Decimal(0)) / 1_000_000


def alone(source: str) -> list[Call]:
    """The calls, at the time of their own and with numbers of their own."""
    place = list(SHAPES).index(source)
    return [
        replace(call, number=call.number + (place + 1) * 10_000_000, started_at=call.started_at - (place + 1) * APART)
        for call in random_calls(CALLS, "calls")
    ]


@pytest.fixture(scope="module")
def each(module_path: Path) -> Path:
    """Every source with its own copy of the calls, none of which another has."""
    folder = module_path / "each"
    folder.mkdir()
    logs: dict[Path, str | None] = {}
    for source, (mapping, _) in SHAPES.items():
        log = folder / f"{source}.jsonl"
        log.write_text(lines(source, alone(source)), encoding="utf-8")
        logs[log] = mapping
    return build_sources(folder / "each.duckdb", logs, "fct_llm_attempts", "merged_calls")


def around_midnight() -> list[Call]:
    """Calls that Helicone's log gets later than the others."""
    second = timedelta(seconds=1)
    return [
        call
        for call in random_calls(CALLS, "calls")
        if call.is_success and (call.started_at - second).date() != (call.started_at + second).date()
    ]


@pytest.fixture(scope="module")
def together(module_path: Path) -> Path:
    """The same calls in all logs."""
    folder = module_path / "together"
    folder.mkdir()
    logs: dict[Path, str | None] = {}
    for source, (mapping, _) in SHAPES.items():
        log = folder / f"{source}.jsonl"
        late = around_midnight() if source == "helicone" else []
        log.write_text(lines(source, [call for call in random_calls(CALLS, "calls") if call not in late]), "utf-8")
        logs[log] = mapping
    return build_sources(folder / "together.duckdb", logs, "fct_llm_attempts", "spend_coverage", "merged_calls")


@pytest.mark.parametrize("source", SHAPES)
def test_a_source_alone_gives_the_tokens_and_the_money_of_the_calls(each: Path, source: str) -> None:
    calls = [call for call in alone(source) if is_told(source, call)]
    expected = sorted(
        (
            call.started_at.date(),
            call.model,
            call.status,
            call.input_tokens,
            call.output_tokens,
            call.cached,
            call.written,
            cost(call),
        )
        for call in calls
    )
    found = query(
        each,
        """
        select cast(started_at as date), model, status, coalesce(input_tokens, 0), coalesce(output_tokens, 0),
            coalesce(cached_input_tokens, 0), coalesce(cache_write_tokens, 0), cost_usd
        from marts.fct_llm_attempts where source = ?
        """,
        source,
    )
    assert Counter(found) == Counter(expected)


def test_none_of_different_calls_are_merged(each: Path) -> None:
    assert query(each, "select count(*) from marts.merged_calls") == [(0,)]


def test_all_together_count_each_call_once(together: Path) -> None:
    calls = random_calls(CALLS, "calls")
    ((attempts, tokens, money),) = query(
        together, "select count(*), sum(input_tokens + output_tokens), sum(cost_usd) from marts.fct_llm_attempts"
    )
    assert attempts == len(calls)
    assert tokens == sum(call.input_tokens + call.output_tokens for call in calls)
    assert money == sum(map(cost, calls))
    assert query(together, "select distinct source from marts.fct_llm_attempts") == [("app",)]


def test_what_was_merged_is_there_with_what_it_was_merged_into(together: Path) -> None:
    calls, late = random_calls(CALLS, "calls"), len(around_midnight())
    merged = dict(query(together, "select source, count(*) from marts.merged_calls group by source"))
    told = {source: sum(is_told(source, call) for call in calls) for source in SHAPES if source != "app"}
    assert merged == told | {"helicone": told["helicone"] - late}
    ways = query(
        together,
        "select source, matched_by, count(*) from marts.merged_calls where status = 'success' group by 1, 2",
    )
    successes = sum(call.is_success for call in calls)
    assert sorted(ways) == [
        ("claude_code", "answer", told["claude_code"]),
        ("helicone", "likeness", successes - late),
        ("langfuse", "span", successes),
        ("litellm", "answer", successes),
        ("otel", "answer", successes),
    ]
    lost = """
        select count(*) from marts.merged_calls as merged
        left join marts.fct_llm_attempts as kept
            on merged.kept_source = kept.source and merged.kept_event_id = kept.event_id
        where kept.event_id is null
            or coalesce(merged.input_tokens, 0) <> coalesce(kept.input_tokens, 0)
            or abs(epoch(merged.started_at) - epoch(kept.started_at)) > 60
    """
    assert query(together, lost) == [(0,)]


def test_records_that_come_later_match_across_midnight(together: Path, tmp_path: Path) -> None:
    """A second log's records of calls around midnight, on the day beside, add nothing to either day."""
    days = "select usage_date_utc, count(*), sum(cost_usd) from marts.fct_llm_attempts group by 1 order by 1"
    before = query(together, days)
    late = [replace(call, started_at=call.started_at + timedelta(milliseconds=1200)) for call in around_midnight()]
    assert {call.started_at.date() for call in late} != {call.started_at.date() for call in around_midnight()}
    log = tmp_path / "late.jsonl"
    log.write_text(lines("helicone", late), encoding="utf-8")
    build_sources(together, {log: "helicone"}, "fct_llm_attempts", "merged_calls")
    assert query(together, days) == before
