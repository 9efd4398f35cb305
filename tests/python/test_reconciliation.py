"""Gaps planted between a log and its bill, each in a project of its own: every one lands in its cause, exactly.

By hand, with the list prices in USD a million tokens: gpt-4o input 2.50, cached 1.25, output 10, half of it in a batch;
claude-sonnet-4-5 input 3, cached 0.30, cache writes 3.75 and 6 (an hour), output 15.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from bills import land, mark_fetched, midnight
from conftest import build_sources, query, write_jsonl
from llm_spend.bills.tables import ANTHROPIC_COSTS, ANTHROPIC_USAGE, BILL_LINES, OPENAI_COSTS, OPENAI_USAGE

DAY = date(2026, 9, 10)
CLAUDE_DAY = date(2026, 9, 9)
NEXT_DAY = date(2026, 9, 11)
OPEN_DAY = date(2026, 10, 9)
FETCHED = datetime(2026, 10, 10, 6)
"""By then DAY is final but at Anthropic, CLAUDE_DAY everywhere, OPEN_DAY nowhere."""
CAUSES = ("coverage", "tokens", "price", "non_token", "fixed", "timing", "unexplained")
IDS = count(1)


@dataclass
class Gap:
    """What the log has, what the bill has, and the causes of the difference in USD."""

    project: str
    causes: dict[str, str]
    calls: list[dict] = field(default_factory=list)
    usage: list[dict] = field(default_factory=list)
    costs: list[dict] = field(default_factory=list)
    provider: str = "openai"


def call(tokens_in: int, tokens_out: int, cached: int = 0, at: str = "2026-09-10T12:00:00Z", **other: object) -> dict:
    return {
        "event_id": f"e{next(IDS)}",
        "started_at": at,
        "provider": "openai",
        "model": "gpt-4o",
        "input_tokens": tokens_in,
        "cached_input_tokens": cached,
        "output_tokens": tokens_out,
        "api_key_id": "key_1",
        **other,
    }


def used(requests: int, tokens_in: int, tokens_out: int, cached: int = 0, **other: object) -> dict:
    return {
        "usage_date": DAY,
        "usage_kind": "completions",
        "api_key_id": "key_1",
        "model": "gpt-4o-2024-08-06",
        "batch": False,
        "num_model_requests": requests,
        "input_tokens": tokens_in,
        "input_cached_tokens": cached,
        "output_tokens": tokens_out,
        **other,
    }


def cost(amount: str, line: str = "gpt-4o-2024-08-06, input", **other: object) -> dict:
    return {
        "usage_date": DAY,
        "api_key_id": "key_1",
        "line_item": line,
        "amount": Decimal(amount),
        "currency": "usd",
        **other,
    }


M, K100 = 1_000_000, 100_000
OPENAI = [
    Gap("agrees", {}, [call(M, 100_000)] * 2, [used(2, 2 * M, 200_000)], [cost("5"), cost("2", "gpt-4o, output")]),
    # a third call of another size: 0.4 M × 2.50 + 0.01 M × 10
    Gap("missing_call", {"coverage": "1.1"}, [call(M, 100_000)] * 2, [used(3, 2_400_000, 210_000)], [cost("8.1")]),
    Gap("unseen_project", {"coverage": "2.5"}, [], [used(7, M, 0)], [cost("2.5")]),
    # sent and logged, but the provider never saw it
    Gap("phantom_call", {"coverage": "-3.5"}, [call(M, 100_000)] * 2, [used(1, M, 100_000)], [cost("3.5")]),
    # 0.4 M cached tokens were added to an input that held them: 0.4 M × 2.50 too much
    Gap("cached_twice", {"tokens": "-1"}, [call(1_400_000, 0, 400_000)], [used(1, M, 0, 400_000)], [cost("2")]),
    # cached tokens were not logged as such: 0.4 M × (1.25 - 2.50)
    Gap("cached_as_input", {"tokens": "-0.5"}, [call(M, 0)], [used(1, M, 0, 400_000)], [cost("2")]),
    # the reasoning was not logged: 0.05 M × 10
    Gap("no_reasoning", {"tokens": "0.5"}, [call(M, 50_000)], [used(1, M, 100_000)], [cost("3.5")]),
    # one call more, but fewer tokens than the 3 M that ours claims: the call is worth an average one of
    # the provider, (1.6 M × 2.50 + 0.4 M × 1.25) / 2, and the rest is tokens
    Gap(
        "both",
        {"coverage": "2.25", "tokens": "-5.25"},
        [call(3 * M, 0)],
        [used(2, 2 * M, 0, 400_000)],
        [cost("4.5")],
    ),
    Gap("dearer", {"price": "0.25"}, [call(M, 0)], [used(1, M, 0)], [cost("2.75")]),
    Gap("batch_not_logged", {"price": "-1.25"}, [call(M, 0)], [used(1, M, 0, batch=True)], [cost("1.25")]),
    # a batch of its own that nobody logged: 1 M × 1.25
    Gap(
        "missing_batch",
        {"coverage": "1.25"},
        [call(M, 0)],
        [used(1, M, 0), used(1, M, 0, batch=True)],
        [cost("3.75")],
    ),
    Gap(
        "searches",
        {"non_token": "0.07"},
        [call(M, 0)],
        [used(1, M, 0)],
        [cost("2.5"), cost("0.07", "web search tool calls")],
    ),
    Gap("reserved", {"fixed": "61"}, costs=[cost("61", "provisioned throughput, gpt-4o", api_key_id=None)]),
    Gap("credited", {"fixed": "-30"}, costs=[cost("-30", "promotional credit", api_key_id=None)]),
    Gap("booked_late", {"timing": "4.2"}, costs=[cost("4.2", "true-up for August", api_key_id=None)]),
    # final on 18 September; on the 20th it rose by a quarter
    Gap(
        "raised_later",
        {"timing": "0.5"},
        [call(M, 0)],
        [used(1, M, 0)],
        [
            cost("2.5", _dlt_valid_from=datetime(2026, 9, 11), _dlt_valid_to=datetime(2026, 9, 20)),
            cost("3", _dlt_valid_from=datetime(2026, 9, 20)),
        ],
    ),
    # raised before it was final: the bill is what it is
    Gap(
        "raised_in_time",
        {"price": "0.5"},
        [call(M, 0)],
        [used(1, M, 0)],
        [
            cost("2.5", _dlt_valid_from=datetime(2026, 9, 11), _dlt_valid_to=datetime(2026, 9, 13)),
            cost("3", _dlt_valid_from=datetime(2026, 9, 13)),
        ],
    ),
    # began ten seconds before midnight and took a minute: in the next day's bill, which tells it by the day
    Gap(
        "around_midnight",
        {"timing": "0"},
        [call(M, 0, at="2026-09-10T23:59:50Z", latency_ms=60_000), call(M, 0, at="2026-09-11T10:00:00Z")],
        [used(2, 2 * M, 0, usage_date=NEXT_DAY)],
        [cost("5", usage_date=NEXT_DAY)],
    ),
    # of an open day the costs are not all booked, nor the calls all counted
    Gap(
        "open_costs",
        {"timing": "-1"},
        [call(M, 0, at="2026-10-09T12:00:00Z")],
        [used(1, M, 0, usage_date=OPEN_DAY)],
        [cost("1.5", usage_date=OPEN_DAY)],
    ),
    Gap(
        "open_calls",
        {"timing": "-2.5"},
        [call(M, 0, at="2026-10-09T12:00:00Z")] * 2,
        [used(1, M, 0, usage_date=OPEN_DAY)],
        [cost("2.5", usage_date=OPEN_DAY)],
    ),
    # what an open day has too much does not go away
    Gap(
        "open_coverage",
        {"coverage": "2.5"},
        [call(M, 0, at="2026-10-09T12:00:00Z")],
        [used(2, 2 * M, 0, usage_date=OPEN_DAY)],
        [cost("5", usage_date=OPEN_DAY)],
    ),
    # the project knows no keys of one call: its keys are taken together
    Gap(
        "nameless_key",
        {},
        [call(M, 0), call(M, 0, api_key_id=None)],
        [used(1, M, 0), used(1, M, 0, api_key_id="key_2")],
        [cost("2.5"), cost("2.5", api_key_id="key_2")],
    ),
]


def claude(tokens_in: int, tokens_out: int, **other: object) -> dict:
    return {
        **call(tokens_in, tokens_out),
        "started_at": "2026-09-09T12:00:00Z",
        "model": "claude-sonnet-4-5",
        "provider": "anthropic",
        **other,
    }


def claude_used(tokens_in: int, tokens_out: int, **other: object) -> dict:
    return {
        "usage_date": CLAUDE_DAY,
        "api_key_id": "key_1",
        "model": "claude-sonnet-4-5-20250929",
        "service_tier": "standard",
        "context_window": "0-200k",
        "inference_geo": "global",
        "uncached_input_tokens": tokens_in,
        "output_tokens": tokens_out,
        **other,
    }


def cents(amount: str, cost_type: str = "tokens", **other: object) -> dict:
    model = {"model": "claude-sonnet-4-5-20250929", "token_type": "output_tokens"} if cost_type == "tokens" else {}
    return {
        "usage_date": CLAUDE_DAY,
        "description": f"Claude Sonnet 4.5 {cost_type}",
        "cost_type": cost_type,
        "amount_cents": Decimal(amount),
        "currency": "USD",
        **model,
        **other,
    }


ANTHROPIC = [
    # 0.1 M × 3 and 0.01 M × 15
    Gap("claude_agrees", {}, [claude(K100, 10_000)], [claude_used(K100, 10_000)], [cents("45")]),
    # without a count of calls: more input and more output
    Gap("claude_missing", {"coverage": "0.45"}, [claude(K100, 10_000)], [claude_used(200_000, 20_000)], [cents("90")]),
    # more of one type alone is no call: 0.02 M × 0.30
    Gap(
        "claude_cache",
        {"tokens": "0.006"},
        [claude(K100, 10_000)],
        [claude_used(K100, 10_000, cache_read_input_tokens=20_000)],
        [cents("45.6")],
    ),
    # 0.1 M × 6 in place of 3.75: the log took writes for an hour for those of five minutes
    Gap(
        "claude_writes",
        {"tokens": "0.225"},
        [claude(K100, 0, cache_write_tokens=K100)],
        [claude_used(0, 0, cache_creation_1h_input_tokens=K100)],
        [cents("60")],
    ),
    # a call beyond 200,000 tokens costs twice as much: the report tells those apart
    Gap(
        "claude_long",
        {"coverage": "1.8"},
        [],
        [claude_used(300_000, 0, context_window="200k-1M")],
        [cents("180", context_window="200k-1M")],
        provider="anthropic",
    ),
    Gap(
        "claude_search",
        {"non_token": "0.1234567"},
        [claude(K100, 0)],
        [claude_used(K100, 0)],
        [cents("30"), cents("12.34567", "web_search")],
    ),
    # 10 September + 1 + 30 days is 11 October: it is open on the 10th
    Gap(
        "claude_open",
        {"timing": "-0.3"},
        [claude(K100, 0, started_at="2026-09-10T12:00:00Z")],
        [claude_used(K100, 0, usage_date=DAY)],
    ),
]


def line(amount: str, **other: object) -> dict:
    return {
        "usage_date": DAY,
        "provider": "mistral",
        "model": "mistral-large-latest",
        "charge_type": "usage",
        "amount": Decimal(amount),
        "currency": "USD",
        **other,
    }


LINES = [
    # quantities by usage type
    Gap(
        "by_usage_type",
        {"price": "0.2"},
        [call(M, 0, provider="mistral", model="mistral-large-latest")],
        costs=[line("2.2", usage_type="input", quantity=Decimal(M), unit="tokens")],
        provider="mistral",
    ),
    Gap(
        "dollars_alone",
        {"unexplained": "0.5"},
        [call(M, 0, provider="mistral", model="mistral-large-latest")],
        costs=[line("2.5")],
        provider="mistral",
    ),
    Gap("plan", {"fixed": "20"}, costs=[line("20", charge_type="fixed", model=None)], provider="mistral"),
]


@pytest.fixture(scope="module")
def reconciled(module_path: Path) -> Path:
    database = module_path / "spend.duckdb"
    events = [
        {**event, "event_id": f"{event['event_id']}-{number}", "project_id": gap.project}
        for gap in OPENAI + ANTHROPIC + LINES
        for number, event in enumerate(gap.calls)
    ]
    log = write_jsonl(module_path / "log.jsonl", events)
    noon = midnight(DAY) + timedelta(days=2)
    land(database, OPENAI_USAGE, [{**row, "project_id": gap.project} for gap in OPENAI for row in gap.usage], noon)
    land(database, OPENAI_COSTS, [{**row, "project_id": gap.project} for gap in OPENAI for row in gap.costs], noon)
    land(database, ANTHROPIC_USAGE, [{**row, "workspace_id": g.project} for g in ANTHROPIC for row in g.usage], noon)
    land(database, ANTHROPIC_COSTS, [{**row, "workspace_id": g.project} for g in ANTHROPIC for row in g.costs], noon)
    land(database, BILL_LINES, [{**row, "project_id": gap.project} for gap in LINES for row in gap.costs], noon)
    for provider in ("openai", "anthropic", "mistral"):
        mark_fetched(database, provider, [CLAUDE_DAY, DAY, NEXT_DAY, OPEN_DAY], FETCHED)
    return build_sources(
        database,
        {log: None},
        "provider_reconciliation",
        "monthly_reconciliation",
        as_of="2026-10-10 06:00:00",
    )


@pytest.mark.parametrize("gap", OPENAI + ANTHROPIC + LINES, ids=lambda gap: gap.project)
def test_a_planted_gap_lands_in_its_cause(reconciled: Path, gap: Gap) -> None:
    sums = ", ".join(f"coalesce(sum({cause}_usd), 0)" for cause in CAUSES)
    (found,) = query(
        reconciled,
        f"select {sums} from marts.provider_reconciliation where project_id = ? and provider = ?",
        gap.project,
        gap.calls[0]["provider"] if gap.calls else gap.provider,
    )
    assert dict(zip(CAUSES, found, strict=True)) == {cause: Decimal(gap.causes.get(cause, "0")) for cause in CAUSES}


def test_a_call_around_midnight_moves_from_one_day_to_the_next(reconciled: Path) -> None:
    assert query(
        reconciled,
        """
        select usage_date_utc, coverage_usd, timing_usd from marts.provider_reconciliation
        where project_id = 'around_midnight' order by usage_date_utc
        """,
    ) == [(DAY, Decimal(0), Decimal("-2.5")), (NEXT_DAY, Decimal(0), Decimal("2.5"))]
