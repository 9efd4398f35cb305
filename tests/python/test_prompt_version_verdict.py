"""How often the verdict is right: the model itself, on a thousand simulated releases whose truth is known."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy
import pytest

from conftest import query

ROOT = Path(__file__).resolve().parents[2]
RELEASES = 1000
REQUESTS_A_DAY = 143
"""Seven days of them are a thousand and one."""


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verdicts")
    database = folder / "simulated.duckdb"
    generator = numpy.random.default_rng(20261121)
    true_ratios = {"same": 1.0, "dearer": 1.3}
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table rows (endpoint text, version text, day int, n bigint, total double, squares double)"
        )
        for name, ratio in true_ratios.items():
            # heavy-tailed: one request in twenty costs more than five times the median
            costs = generator.lognormal(0.0, 1.0, (RELEASES, 14, REQUESTS_A_DAY))
            costs[:, 7:, :] *= ratio
            totals, squares = costs.sum(axis=2), (costs**2).sum(axis=2)
            releases, days = numpy.indices(totals.shape)
            simulated = {
                "release": releases.ravel(), "day": days.ravel(), "total": totals.ravel(), "squares": squares.ravel(),
            }  # fmt: skip
            connection.register("simulated", simulated)
            connection.execute(
                f"""
                insert into rows
                select '{name}_' || release, case when day < 7 then 'v1' else 'v2' end, day, {REQUESTS_A_DAY}, total,
                    squares
                from simulated
                """
            )
        connection.execute(
            """
            create table marts.fct_daily_requests as
            select endpoint as endpoint_tag, version as prompt_version, true as is_in_scope, 'm' as model,
                cast(date '2026-10-01' + day + case when version = 'v2' then 1 else 0 end as date) as usage_date,
                n as requests, n as attempts, cast(0 as bigint) as failed_requests, n as input_tokens,
                cast(0 as bigint) as cached_input_tokens, n as output_tokens, n as total_latency_ms,
                n as comparable_requests, cast(total as decimal(28, 12)) as comparable_cost_usd,
                cast(squares as decimal(38, 18)) as comparable_cost_usd_sum_of_squares,
                n as comparable_tokens, cast(n as decimal(38, 0)) as comparable_tokens_sum_of_squares
            from rows
            """
        )
        connection.execute(
            """
            create table marts.dim_prompt_versions as
            select distinct endpoint as endpoint_tag, 'v2' as prompt_version, cast(1 as bigint) as episode,
                date '2026-10-08' as first_seen_date, date '2026-10-15' as last_seen_date, 'v1' as predecessor,
                cast(1001 as bigint) as requests, cast(null as text) as change_note, cast(null as text) as owner
            from rows
            """
        )
    subprocess.run(
        [Path(sys.executable).with_name("dbt"), "run", "--quiet", "--select", "int_prompt_versions_judged",
         "prompt_version_deltas", "--project-dir", ROOT, "--profiles-dir", ROOT, "--target-path", folder / "dbt",
         "--log-path", folder / "logs"],
        env=os.environ | {"LLM_SPEND_DUCKDB_PATH": str(database)}, check=True,
    )  # fmt: skip
    return database


def share_of_regressions(database: Path, name: str) -> float:
    ((releases, regressions),) = query(
        database,
        f"""
        select count(*), count(*) filter (verdict = 'regression') from marts.prompt_version_deltas
        where endpoint_tag like '{name}_%' and requests_before = 1001 and requests_after = 1001
        """,
    )
    assert releases == RELEASES
    return regressions / releases


def test_a_release_that_changes_nothing_is_called_a_regression_once_in_a_hundred_at_most(verdicts: Path) -> None:
    assert share_of_regressions(verdicts, "same") <= 0.01


def test_a_release_that_costs_30_percent_more_is_found_nine_times_in_ten(verdicts: Path) -> None:
    assert share_of_regressions(verdicts, "dearer") >= 0.9
