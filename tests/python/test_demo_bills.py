"""What is planted between the demo's bills and its log is found, to the cent, each in its cause, and nothing else."""

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from conftest import artifacts, query
from llm_spend.dbt_run import place_arguments
from llm_spend.paths import project_dir

CAUSES = ("coverage", "tokens", "price", "non_token", "fixed", "timing", "unexplained")


def test_each_planted_gap_is_found_in_its_cause(demo: Path) -> None:
    gaps = query(
        demo,
        "select gap_id, provider, cause, starts_at, ends_at, expected_usd from raw.demo_planted_bill_gaps",
    )
    assert {cause for _, _, cause, *_ in gaps} == set(CAUSES) - {"unexplained"}
    for gap_id, provider, cause, starts_at, ends_at, expected_usd in gaps:
        ((found,),) = query(
            demo,
            f"""
            select sum({cause}_usd) from marts.provider_reconciliation
            where provider = $1 and usage_date_utc >= $2 and usage_date_utc < $3
            """,
            *(provider, starts_at, ends_at),
        )
        assert round(found, 2) == expected_usd, gap_id


def test_nothing_but_the_planted_gaps_is_found(demo: Path) -> None:
    planted: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for provider, cause, usd in query(demo, "select provider, cause, expected_usd from raw.demo_planted_bill_gaps"):
        planted[provider, cause] += usd
    found = query(
        demo,
        f"""
        select provider, cause, sum(usd) from (
            unpivot (select provider, {", ".join(f"{cause}_usd as {cause}" for cause in CAUSES)}
                from marts.provider_reconciliation)
            on {", ".join(CAUSES)} into name cause value usd
        )
        group by all having sum(abs(usd)) > 0
        """,
    )
    assert {(provider, cause): round(usd, 2) for provider, cause, usd in found} == planted


def test_other_days_differ_by_calls_that_ran_past_midnight(demo: Path) -> None:
    """The log has a call on the day on which it began, the bill on the day on which it ended."""
    rest = query(
        demo,
        """
        select project_id, api_key_id, model, usage_date_utc, difference_usd, timing_usd
        from marts.provider_reconciliation as found
        where abs(difference_usd) > 0 and not exists (
            from raw.demo_planted_bill_gaps as gaps
            where gaps.provider = found.provider and usage_date_utc >= starts_at and usage_date_utc < ends_at
                and case cause
                    when 'coverage' then coverage_usd when 'tokens' then tokens_usd when 'price' then price_usd
                    when 'non_token' then non_token_usd when 'fixed' then fixed_usd else timing_usd
                end != 0
        )
        order by all
        """,
    )
    past_midnight = {
        (project, key, model, day): usd
        for project, key, model, day, usd in query(
            demo,
            """
            select project_id, api_key_id, priced_model_id, usage_date_utc, sum(cost_usd) from marts.fct_llm_attempts
            where provider in ('openai', 'anthropic') and cost_usd > 0
                and (started_at + to_milliseconds(latency_ms))::date > usage_date_utc
            group by all
            """,
        )
    }
    assert len(rest) == 2 * len(past_midnight) > 0
    for (*place, day, less, timing), (*next_place, next_day, more, next_timing) in list(pairwise(rest))[::2]:
        assert (place, next_day) == (next_place, day + timedelta(days=1))
        assert -less == more == past_midnight[(*place, day)]
        assert (timing, next_timing) == (less, more)


def test_the_months_say_what_is_reconciled(demo: Path) -> None:
    months = query(
        demo,
        "select provider, usage_month, status, explained_ratio from marts.monthly_reconciliation order by all",
    )
    august, september, october = (date(2026, month, 1) for month in (8, 9, 10))
    assert months == [
        ("anthropic", august, "reconciled", 1),
        ("anthropic", september, "open", 1),  # amounts may change for thirty days
        ("anthropic", october, "open", 1),
        ("openai", august, "reconciled", 1),
        ("openai", september, "gap", 1),
        ("openai", october, "open", 1),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["postgres", "clickhouse"])
def test_other_engines_find_the_same(demo: Path, engine: str) -> None:
    from servers.clickhouse import clickhouse_engine
    from servers.postgres import postgres_engine

    start = {"postgres": postgres_engine, "clickhouse": clickhouse_engine}[engine]
    rows = "select * from marts.provider_reconciliation"
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as server:
        arguments = place_arguments(project_dir(), artifacts(engine), Path(folder) / "logs")
        subprocess.run(
            [
                *(Path(sys.executable).with_name("dbt"), "build", "--target", engine, *arguments),
                *("--resource-type", "seed", "model", "--select", "+monthly_reconciliation"),
            ],
            check=True,
            env={**os.environ, **server.environment},
        )
        columns, found = server.query(rows)
    expected = query(demo, f"select {', '.join(columns)} from marts.provider_reconciliation")
    assert _as_texts(found) == _as_texts(expected)


def _as_texts(rows: list[tuple]) -> list[list[str]]:
    """Engines have other types for the same: money to the cent's billionth, flags as 0 and 1, days as timestamps."""
    return sorted([_as_text(value) for value in row] for row in rows)


def _as_text(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:.11f}"
    return str(value + 0 if isinstance(value, bool) else value).removesuffix(" 00:00:00")
