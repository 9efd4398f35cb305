"""The published copy: whole, swapped in at once, and in nobody's way."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from conftest import MODELS_ONLY, query, run_cli, write_jsonl
from llm_spend import publish as publishing
from llm_spend import replacing
from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.publish import publish, published_path
from llm_spend.writing import begin_build, end_build

NOW = datetime(2026, 10, 26, 5, 30, tzinfo=UTC)
TOTAL = "select count(*), sum(cost_usd) from marts.fct_llm_attempts"

READER = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1], read_only=True)
slowest = 0
print("open", flush=True)
while True:
    started = time.monotonic()
    found = connection.execute(sys.argv[2]).fetchall()
    slowest = max(slowest, time.monotonic() - started)
    print(f"{slowest:.3f} {found}", flush=True)
    time.sleep(0.05)
"""


@pytest.fixture
def warehouse(demo: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(demo, tmp_path / "spend.duckdb"))


@pytest.fixture
def published(warehouse: Path) -> Path:
    return publish(warehouse, now=NOW).path


def test_the_copy_holds_every_mart_row_for_row(warehouse: Path, published: Path) -> None:
    assert published.name == "spend.published.duckdb"
    listed = "select table_name from information_schema.tables where table_schema = 'marts' order by 1"
    names = [name for (name,) in query(warehouse, listed)]
    assert [name for (name,) in query(published, listed)] == sorted([*names, "published"])
    assert "fct_cost_components" in names
    with duckdb.connect() as connection:
        connection.execute(f"attach '{warehouse}' as theirs (read_only)")
        connection.execute(f"attach '{published}' as ours (read_only)")
        for name in names:
            differences = connection.execute(
                f"""
                (from theirs.marts.{name} except all from ours.marts.{name})
                union all
                (from ours.marts.{name} except all from theirs.marts.{name})
                """
            ).fetchall()
            assert differences == [], name
    components = "select count(*), sum(cost_usd), sum(quantity) from marts.fct_cost_components"
    assert query(published, components) == query(warehouse, components) != [(0, None, None)]


def test_the_copy_says_from_when_it_is_and_holds_nothing_else(published: Path) -> None:
    ((published_at, as_of),) = query(published, "select published_at, as_of from marts.published")
    assert (published_at, as_of) == (datetime(2026, 10, 26, 5, 30), datetime(2026, 10, 26))
    others = "select schema_name || '.' || table_name from duckdb_tables() where schema_name <> 'marts'"
    # what the views of the components and of the price corrections read
    assert query(published, f"{others} order by 1") == [("intermediate.int_rate_cards",), ("raw.providers",)]
    views = query(published, "select view_name from duckdb_views() where not internal order by 1")
    assert views == [
        ("fct_cost_components",), ("fct_llm_requests",), ("fct_workflow_runs",), ("focus_price_corrections",),
        ("stg_prices__providers",), ("tenant_daily_spend",),
    ]  # fmt: skip
    ((tags,),) = query(published, "select tags from duckdb_databases() where not internal")
    assert tags["storage_version"].startswith("v1.4.0")


def test_a_view_reads_the_tables_of_its_own_file_whatever_that_is_called(published: Path) -> None:
    # as DuckDB 1.4 keeps a view of a file named spend.duckdb
    kept = 'CREATE VIEW marts.v AS SELECT spend.marts FROM spend.marts.t AS spend, "spend"."marts".t2, marts.t;'
    assert publishing._anywhere(kept, "spend", [("marts", "t"), ("marts", "t2")]) == (
        'create or replace view marts.v AS SELECT spend.marts FROM marts.t AS spend, "marts".t2, marts.t;'
    )
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("create table marts.fct_llm_attempts as select 1 as not_these")
        connection.execute(f"attach '{published}' as bi (read_only)")
        ((components,),) = connection.execute("select count(*) from bi.marts.fct_cost_components").fetchall()
    assert components > 0


def test_only_the_copy_is_left_behind_and_nobody_may_write_it(warehouse: Path, published: Path) -> None:
    publish(warehouse, now=NOW)
    assert {path.name for path in warehouse.parent.iterdir()} == {"spend.duckdb", "spend.published.duckdb"}
    assert published.stat().st_mode & 0o222 == 0


@pytest.mark.slow
def test_a_reader_is_not_in_the_way_and_sees_one_state(tmp_path: Path) -> None:
    database = tmp_path / "spend.duckdb"
    copy = published_path(database)
    _build(database, _log(tmp_path / "first.jsonl", range(100)))
    assert run_cli("publish", "--db", database).returncode == 0
    before = query(copy, TOTAL)
    reader = subprocess.Popen([sys.executable, "-c", READER, copy, TOTAL], stdout=subprocess.PIPE, text=True)
    try:
        assert reader.stdout.readline() == "open\n"
        _build(database, _log(tmp_path / "second.jsonl", range(100, 130)))
        result = run_cli("publish", "--db", database)
        assert result.returncode == 0, result.stderr
        # 100 and 130 calls of 1000 × 0.0000025 + 100 × 0.00001 dollars
        assert [(rows, float(cost)) for rows, cost in before + query(copy, TOTAL)] == [(100, 0.35), (130, 0.455)]
        assert reader.poll() is None
    finally:
        reader.kill()
        answers = [line.partition(" ") for line in reader.communicate()[0].splitlines()]
    assert len(answers) > 20
    assert {found for _, _, found in answers} == {str(before)}
    assert max(float(slowest) for slowest, _, _ in answers) < 5


@pytest.mark.parametrize("step", ["publish.copy_file", "publish._keep_marts", "replacing._sync"])
def test_a_killed_publish_leaves_the_last_copy_and_is_cleaned_up(warehouse: Path, published: Path, step: str) -> None:
    before = published.read_bytes()
    with connect(warehouse) as connection:
        connection.execute("delete from marts.fct_llm_attempts")
    script = f"""
import sys, time
from pathlib import Path
from llm_spend import publish, replacing
step = {step}
def killed_in_it(*arguments):
    step(*arguments)
    print("in it", flush=True)
    time.sleep(60)
{step} = killed_in_it
publish.publish(Path(sys.argv[1]))
"""
    process = subprocess.Popen([sys.executable, "-c", script, warehouse], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "in it\n"
    process.kill()
    process.communicate()
    assert published.read_bytes() == before
    assert _drafts(warehouse.parent)

    publish(warehouse, now=NOW)
    assert _drafts(warehouse.parent) == []
    assert query(published, TOTAL) == [(0, None)]


def test_a_publish_that_fails_leaves_the_last_copy(
    warehouse: Path, published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = published.read_bytes()

    def full(_path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(replacing, "_sync", full)
    with pytest.raises(UserError, match=r"the last copy stands: .*No space left on device") as error:
        publish(warehouse)
    assert error.value.exit_code == 1
    assert published.read_bytes() == before
    assert _drafts(warehouse.parent) == []


def test_marts_of_a_build_that_did_not_end_are_not_published(warehouse: Path) -> None:
    begin_build(warehouse)
    with pytest.raises(UserError, match="did not end well: build again") as error:
        publish(warehouse)
    assert error.value.exit_code == 1
    assert not published_path(warehouse).exists()
    end_build(warehouse)
    assert publish(warehouse).path.exists()


@pytest.mark.slow
def test_a_failed_build_is_not_published(tmp_path: Path) -> None:
    database, config = tmp_path / "spend.duckdb", tmp_path / "config"
    config.mkdir()
    (config / "budgets.csv").write_text(
        "scope_type,scope_id,period,amount_usd,valid_from\ntotal,,monthly,much,2026-10-01\n"
    )
    log = _log(tmp_path / "log.jsonl", range(10))
    failed = run_cli("build", "--events", log, "--config", config, "--db", database, "--as-of", "2026-10-20")
    assert failed.returncode == 1
    refused = run_cli("publish", "--db", database)
    assert (refused.returncode, "did not end well" in refused.stderr) == (1, True), refused.stderr


def test_nothing_but_a_copy_is_replaced(warehouse: Path, tmp_path: Path) -> None:
    text, other, copy = tmp_path / "report.csv", tmp_path / "other.duckdb", tmp_path / "bi" / "copy.duckdb"
    text.write_text("a,b\n")
    with connect(other) as connection:
        connection.execute("create schema marts")
    for target in (text, other, warehouse):
        before = target.read_bytes()
        with pytest.raises(UserError, match="name another"):
            publish(warehouse, target)
        assert target.read_bytes() == before
    for _ in range(2):
        publish(warehouse, copy)
    assert query(copy, TOTAL) == query(warehouse, TOTAL)


def test_without_marts_there_is_nothing_to_publish(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        publish(tmp_path / "none.duckdb")
    with connect(tmp_path / "empty.duckdb"):
        pass
    with pytest.raises(UserError, match="run llm-spend build first"):
        publish(tmp_path / "empty.duckdb")


def _drafts(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def _build(database: Path, log: Path) -> None:
    result = run_cli("build", "--events", log, "--db", database, "--as-of", "2026-10-20", **MODELS_ONLY)
    assert result.returncode == 0, result.stderr


def _log(path: Path, numbers: range) -> Path:
    return write_jsonl(path, _events(numbers))


def _events(numbers: range) -> Iterator[dict[str, object]]:
    for number in numbers:
        day, hour = divmod(number, 24)
        yield {
            "event_id": f"e{number}",
            "started_at": f"2026-10-{day + 1:02}T{hour:02}:00:00Z",
            "provider": "openai",
            "model": "gpt-4o",
            "tenant_id": "acme",
            "endpoint_tag": "search",
            "input_tokens": 1000,
            "output_tokens": 100,
        }
