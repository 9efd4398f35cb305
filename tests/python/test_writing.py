"""One writer at a time: the second waits, or says who it waits for."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from conftest import MODELS_ONLY, query, run_cli, write_jsonl
from llm_spend.errors import UserError
from llm_spend.writing import keep_demo_apart, writing

HOLD = """
import sys, time
from pathlib import Path
from llm_spend.writing import writing
with writing(Path(sys.argv[1]), "llm-spend build"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def hold(tmp_path: Path):
    holders = []

    def start(database: Path) -> subprocess.Popen:
        holder = subprocess.Popen([sys.executable, "-c", HOLD, database], stdout=subprocess.PIPE, text=True)
        holders.append(holder)
        assert holder.stdout.readline() == "held\n"
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


def test_without_patience_the_holder_is_named_at_once(tmp_path: Path, hold: Callable) -> None:
    database = tmp_path / "spend.duckdb"
    holder = hold(database)
    says = rf"spend\.duckdb is being written by process {holder.pid} \(llm-spend build\)"
    with pytest.raises(UserError, match=says) as error, writing(database, "a test", wait_seconds=0):
        pass
    assert error.value.exit_code == 1
    log = write_jsonl(tmp_path / "log.jsonl", [{"started_at": "2026-10-01T00:00:00Z", "model": "gpt-4o"}])
    for command in (["load", "--events", log], ["build"], ["demo"], ["publish"]):
        refused = run_cli(*command, "--db", database, "--wait", 0)
        assert (refused.returncode, str(holder.pid) in refused.stderr) == (1, True), refused.stderr
    assert not database.exists()


def test_another_file_is_free_and_another_name_of_the_same_is_not(tmp_path: Path, hold: Callable) -> None:
    database, link = tmp_path / "spend.duckdb", tmp_path / "link.duckdb"
    database.touch()
    link.symlink_to(database)
    hold(database)
    with writing(tmp_path / "y.duckdb", "a test", wait_seconds=0):
        pass
    with pytest.raises(UserError, match=r"link\.duckdb is being written"), writing(link, "a test", wait_seconds=0):
        pass


def test_a_killed_holder_lets_go(tmp_path: Path, hold: Callable) -> None:
    holder = hold(tmp_path / "spend.duckdb")
    told: list[str] = []

    def kill_it(message: str) -> None:
        told.append(message)
        holder.kill()

    started = time.monotonic()
    with writing(tmp_path / "spend.duckdb", "a test", wait_seconds=30, tell=kill_it):
        assert time.monotonic() - started < 10
    assert len(told) == 1
    assert f"process {holder.pid}" in told[0]


@pytest.mark.slow
def test_of_two_builds_at_once_the_second_waits_and_counts_both_logs(tmp_path: Path) -> None:
    database = tmp_path / "spend.duckdb"
    builds = [
        subprocess.Popen(
            [
                *(Path(sys.executable).with_name("llm-spend"), "build"),
                *("--events", _log(tmp_path, name), "--db", database, "--as-of", "2026-10-20"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | MODELS_ONLY,
        )
        for name in ("a", "b")
    ]
    errors = [build.communicate(timeout=300)[1] for build in builds]
    assert [build.returncode for build in builds] == [0, 0], errors
    waited = [re.findall(r"process (\d+) \(llm-spend build\): waiting", error) for error in errors]
    assert waited in ([[], [str(builds[0].pid)]], [[str(builds[1].pid)], []])
    # 20 calls in each log, of 1000 × 0.0000025 + 100 × 0.00001 dollars; the same attempt is in both
    assert query(database, "select count(*), sum(cost_usd) from marts.fct_llm_attempts") == [(39, Decimal("0.1365"))]
    assert query(database, "select raw_rows, accepted_rows, duplicate_rows from marts.spend_coverage") == [(40, 39, 1)]
    assert query(database, "select sum(cost_usd) from marts.tenant_daily_spend") == [(Decimal("0.1365"),)]


def _log(folder: Path, name: str) -> Path:
    return write_jsonl(
        folder / f"{name}.jsonl",
        (
            {
                "event_id": f"{name}{number}" if number else "in both",
                "started_at": f"2026-10-{number // 5 + 1:02}T12:00:00Z",
                "provider": "openai",
                "model": "gpt-4o",
                "tenant_id": "acme",
                "input_tokens": 1000,
                "output_tokens": 100,
            }
            for number in range(20)
        ),
    )


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A mart and tables of `raw`: the demo's events, a table whose name begins alike, and a log without a row."""
    path = tmp_path / "spend.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema raw; create schema marts; create table marts.alerts as select 1 as one")
        for name in ("raw_demo_usage_events", "demo_budgets", "demographics"):
            connection.execute(f"create table raw.{name} as select 1 as one")
        connection.execute("create table raw.raw_usage_events (event_id varchar)")
    return path


def tables(database: Path) -> set[str]:
    return {name for (name,) in query(database, "select table_name from duckdb_tables()")}


def test_the_demo_leaves_a_database_in_which_a_log_is_built(database: Path) -> None:
    assert keep_demo_apart(database, "landing")
    assert tables(database) == {"demographics", "raw_usage_events"}
    assert not keep_demo_apart(database, "landing")


def test_marts_of_a_log_stay_when_it_is_built_again(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        connection.execute("drop table raw.raw_demo_usage_events")
    assert not keep_demo_apart(database, "landing")
    assert "alerts" in tables(database)


def test_the_demo_is_built_again_and_never_over_a_log(database: Path) -> None:
    assert not keep_demo_apart(database, "demo")
    assert "alerts" in tables(database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("insert into raw.raw_usage_events values ('call-1')")
    with pytest.raises(UserError, match=r"spend\.duckdb holds a log of your own: .* --db"):
        keep_demo_apart(database, "demo")
    assert "alerts" in tables(database)


def test_a_database_that_is_not_there_is_left_alone(tmp_path: Path) -> None:
    assert not keep_demo_apart(tmp_path / "spend.duckdb", "demo")
    assert not (tmp_path / "spend.duckdb").exists()
