"""Every mistake a person can make ends in one clear line and the right exit code."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import MODELS_ONLY, query, run_cli

GOOD = (
    '{"event_id":"a","started_at":"2026-10-01T08:00:00Z","provider":"openai","model":"gpt-4o",'
    '"input_tokens":10,"output_tokens":1}\n'
)


def _fails(code: int, *arguments: object) -> str:
    result = run_cli(*arguments)
    assert result.returncode == code, result.stdout + result.stderr
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("log.xlsx", "x", "log.xlsx"),
        ("empty.jsonl", "", "empty"),
        ("broken.jsonl", "{\n", "broken.jsonl"),
    ],
)
def test_unusable_files(tmp_path: Path, name: str, content: str, says: str) -> None:
    file = tmp_path / name
    file.write_text(content)
    assert says in _fails(2, "build", "--events", file, "--db", tmp_path / "spend.duckdb")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere.jsonl" in _fails(
        2, "build", "--events", tmp_path / "nowhere.jsonl", "--db", tmp_path / "spend.duckdb"
    )


def test_a_mapping_that_names_a_missing_column(tmp_path: Path) -> None:
    log, mapping = tmp_path / "log.csv", tmp_path / "mapping.yml"
    log.write_text("when,model,input_tokens\n2026-10-01,gpt-4o,10\n")
    mapping.write_text("fields:\n  started_at: wehn\n")
    line = _fails(2, "build", "--events", log, "--mapping", mapping, "--db", tmp_path / "spend.duckdb")
    assert "wehn" in line
    assert "when" in line


@pytest.mark.slow
def test_one_broken_line_is_kept_and_counted(tmp_path: Path) -> None:
    log, database = tmp_path / "log.jsonl", tmp_path / "spend.duckdb"
    log.write_text(GOOD + '{"event_id": \n')
    result = run_cli("build", "--events", log, "--db", database, **MODELS_ONLY)
    assert result.returncode == 0, result.stderr
    assert "1 rejected" in result.stdout
    assert "1 line rejected" in result.stdout
    assert query(database, "select source_line, raw_text from marts.quarantined_events") == [(2, '{"event_id": ')]


def test_a_locked_database(tmp_path: Path) -> None:
    database, log = tmp_path / "spend.duckdb", tmp_path / "log.jsonl"
    log.write_text(GOOD)
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb; c = duckdb.connect({str(database)!r}); print('held', flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "held\n"
        assert str(holder.pid) in _fails(1, "build", "--events", log, "--db", database)
    finally:
        holder.communicate("\n")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    database, log = tmp_path / "notes.txt", tmp_path / "log.jsonl"
    database.write_text("not a database " * 1000)
    log.write_text(GOOD)
    assert "notes.txt" in _fails(2, "build", "--events", log, "--db", database)


def test_a_database_in_a_place_that_cannot_be(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(GOOD)
    assert "log.jsonl/spend.duckdb" in _fails(2, "build", "--events", log, "--db", log / "spend.duckdb")


def test_nothing_loaded_yet(tmp_path: Path) -> None:
    assert "--events" in _fails(2, "build", "--db", tmp_path / "spend.duckdb")


def test_an_unreadable_as_of(tmp_path: Path) -> None:
    assert "yesterday" in _fails(2, "build", "--as-of", "yesterday", "--db", tmp_path / "spend.duckdb")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("budget.csv", "scope_type\n", "budgets.csv"),
        ("budgets.csv", "scope_type,ammount_usd\n", "amount_usd"),
        ("budgets.csv", "scope_type,scope_id\ntenant,acme,extra\n", "line 2"),
    ],
)
def test_configuration_files(tmp_path: Path, name: str, content: str, says: str) -> None:
    log, config = tmp_path / "log.jsonl", tmp_path / "config"
    log.write_text(GOOD)
    config.mkdir()
    (config / name).write_text(content)
    assert says in _fails(2, "build", "--events", log, "--config", config, "--db", tmp_path / "spend.duckdb")


@pytest.mark.slow
def test_a_budget_that_is_not_a_number_fails_the_build_and_names_its_line(tmp_path: Path) -> None:
    log, config = tmp_path / "log.jsonl", tmp_path / "config"
    log.write_text(GOOD)
    config.mkdir()
    (config / "budgets.csv").write_text("scope_type,period,amount_usd,valid_from\ntotal,monthly,lots,2026-01-01\n")
    result = run_cli("build", "--events", log, "--config", config, "--db", tmp_path / "spend.duckdb")
    assert result.returncode == 1
    assert f"{config}/budgets.csv, line 2: amount_usd 'lots': a budget is a number" in result.stderr
