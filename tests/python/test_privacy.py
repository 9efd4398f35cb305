"""A user who asks to be forgotten is gone from every table; what the user cost stays, to the last digit."""

import shutil
from pathlib import Path

import duckdb
import pytest

from conftest import MODELS_ONLY, query, run_cli, write_jsonl
from llm_spend.errors import UserError
from llm_spend.ingest.identity import keyed_digest
from llm_spend.privacy import forget

SOURCES = Path(__file__).resolve().parents[1] / "data" / "sources"

SUMS = """
    select 'attempts', count(*), sum(cost_usd), sum(input_tokens), count(distinct user_id) from marts.fct_llm_attempts
    union all
    select 'users', sum(attempts), sum(cost_usd), sum(input_tokens), count(distinct entity_id)
    from marts.entity_daily_spend where entity_type = 'user'
    union all
    select entity_type, sum(attempts), sum(cost_usd), sum(input_tokens), count(distinct entity_id)
    from marts.entity_daily_spend where entity_type <> 'user' group by 1
    order by all
"""


def places(database: Path, text: str) -> set[tuple[str, str]]:
    """The tables and columns that still hold a text as a word of its own, or in a longer one."""
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns where data_type = 'VARCHAR'"
        ).fetchall()
        return {
            (table, column)
            for schema, table, column in columns
            if connection.execute(
                f'select count(*) from "{schema}"."{table}" where contains("{column}", ?)', [text]
            ).fetchone()[0]
        }


@pytest.fixture(scope="module")
def built(module_path: Path) -> Path:
    """Three users, one called like a tenant, with tags and a broken line that name another."""
    database = module_path / "spend.duckdb"
    call = {"model": "gpt-4o", "provider": "openai", "input_tokens": 1000, "output_tokens": 100, "tenant_id": "acme"}
    log = write_jsonl(
        module_path / "log.jsonl",
        [
            {**call, "event_id": "1", "started_at": "2026-10-05T10:00:00Z", "user_id": "jo@acme.example",
             "tags": {"by": "jo@acme.example", "for": "bo"}},
            {**call, "event_id": "2", "started_at": "2026-10-05T11:00:00Z", "user_id": "jo@acme.example.org"},
            {**call, "event_id": "3", "started_at": "2026-10-06T10:00:00Z", "user_id": "acme"},
            {**call, "event_id": "4", "started_at": "nonsense", "user_id": "jo@acme.example"},
        ],
    )  # fmt: skip
    result = run_cli("build", "--events", log, "--db", database, "--as-of", "2026-10-10", **MODELS_ONLY)
    assert result.returncode == 0, result.stderr
    return database


@pytest.fixture
def warehouse(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(built, tmp_path / built.name))


@pytest.mark.slow
def test_a_user_is_gone_and_the_sums_are_not(warehouse: Path) -> None:
    before = query(warehouse, SUMS)
    # 3 calls of 1000 × 0.0000025 + 100 × 0.00001 dollars; a line without a time is no call
    assert [(calls, float(cost)) for name, calls, cost, *_ in before if name == "attempts"] == [(3, 0.0105)]
    found = {table for table, _ in places(warehouse, "jo@acme.example")}
    assert {"raw_usage_events", "raw_rejected_events", "fct_llm_attempts", "entity_daily_spend"} <= found

    result = run_cli("forget", "jo@acme.example", "--db", warehouse)
    assert result.returncode == 0, result.stderr
    assert "now say forgotten-" in result.stdout
    assert query(warehouse, SUMS) == before
    users = {user for (user,) in query(warehouse, "select distinct user_id from marts.fct_llm_attempts")}
    assert users == {"acme", "jo@acme.example.org", next(user for user in users if user.startswith("forgotten-"))}
    # what is left is the other user, whose name only begins like it
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        ((tags,), (raw,)) = connection.execute(
            "select tags from raw.raw_usage_events where event_id = '1'"
            " union all select raw_text from raw.raw_rejected_events"
        ).fetchall()
    assert "jo@acme" not in tags + raw
    assert '"bo"' in tags

    rebuilt = run_cli("build", "--db", warehouse, "--as-of", "2026-10-10", "--full-refresh", **MODELS_ONLY)
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert query(warehouse, SUMS) == before


def test_the_file_keeps_no_old_rows(warehouse: Path) -> None:
    assert b"jo@acme.example" in warehouse.read_bytes()
    forget(warehouse, {"jo@acme.example", "jo@acme.example.org"})
    assert b"jo@acme" not in warehouse.read_bytes()


def test_a_tenant_of_the_same_name_stays(warehouse: Path) -> None:
    forgotten = forget(warehouse, {"acme"})
    assert "marts.fct_llm_attempts" in forgotten.rows
    assert query(warehouse, "select distinct tenant_id from marts.fct_llm_attempts") == [("acme",)]
    assert query(warehouse, "select count(*) from marts.fct_llm_attempts where user_id = 'acme'") == [(0,)]


def test_a_user_hashed_at_load_is_found_by_the_clear_id(warehouse: Path, tmp_path: Path) -> None:
    log = write_jsonl(
        tmp_path / "more.jsonl",
        [{"event_id": "9", "started_at": "2026-10-07T10:00:00Z", "model": "gpt-4o", "user_id": "kim"}],
    )
    salt = {"LLM_SPEND_HASH_SALT": "pepper"}
    assert run_cli("load", "--events", log, "--db", warehouse, "--hash", "user_id", **salt).returncode == 0
    hashed = keyed_digest("pepper", "kim")
    count = "select count(*) from raw.raw_usage_events where user_id = ?"
    assert query(warehouse, count, hashed) == [(1,)]
    assert run_cli("forget", "kim", "--db", warehouse).returncode == 1
    assert run_cli("forget", "kim", "--db", warehouse, **salt).returncode == 0
    assert query(warehouse, count, hashed) == [(0,)]


def test_an_unknown_user_changes_nothing(warehouse: Path) -> None:
    before = warehouse.read_bytes()
    with pytest.raises(UserError, match="knows the user nobody"):
        forget(warehouse, {"nobody"})
    assert warehouse.read_bytes() == before
    assert not [path for path in warehouse.parent.glob(".spend*") if path.is_dir()]


def test_the_published_copy_forgets_too(demo: Path, tmp_path: Path) -> None:
    database = Path(shutil.copyfile(demo, tmp_path / "spend.duckdb"))
    ((user,),) = query(database, "select min(user_id) from marts.fct_llm_attempts where user_type = 'human'")
    assert run_cli("publish", "--db", database).returncode == 0
    copy = tmp_path / "spend.published.duckdb"
    assert places(copy, user)
    result = run_cli("forget", user, "--db", database)
    assert result.returncode == 0, result.stderr
    assert not {place for place in places(copy, user) if place[1] in ("user_id", "entity_id", "evidence")}


@pytest.mark.parametrize(
    ("file", "mapping", "user"),
    [
        ("otel/anthropic-native.jsonl", "otel", "u-101"),
        ("helicone/requests.jsonl", "helicone", "u-100"),
        ("langfuse/traces.jsonl", "langfuse-traces", "u-100"),
        ("litellm/spend-logs.jsonl", "litellm", "customer-42"),
    ],
)
def test_other_systems_logs_forget_too(tmp_path: Path, file: str, mapping: str, user: str) -> None:
    database = tmp_path / "others.duckdb"
    observations = [SOURCES / "langfuse" / "observations.jsonl"] if mapping == "langfuse-traces" else []
    for log, name in [(SOURCES / file, mapping), *((log, "langfuse") for log in observations)]:
        loaded = run_cli("load", "--events", log, "--mapping", name, "--db", database)
        assert loaded.returncode == 0, loaded.stderr
    assert user in everything(database)
    forget(database, {user})
    assert user not in everything(database)


def everything(database: Path) -> str:
    """Every text of the landing tables."""
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = connection.execute("select table_name from duckdb_tables() where schema_name = 'raw'").fetchall()
        return "\n".join(str(connection.execute(f"select * from raw.{table}").fetchall()) for (table,) in tables)
