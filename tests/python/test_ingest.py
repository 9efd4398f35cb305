"""`llm-spend ingest`: what a provider's API says is in the warehouse, exactly and once, whatever happens on the way."""

import csv
import gzip
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from conftest import build_sources, query, write_jsonl
from llm_spend import cli
from llm_spend.bills import client, fetch, warehouse
from llm_spend.bills.fetch import days_to_fetch
from llm_spend.bills.providers import ANTHROPIC, OPENAI
from llm_spend.bills.tables import BILL_LINES, OPENAI_COSTS, hashed
from llm_spend.errors import UserError
from llm_spend.paths import project_dir
from provider_apis import OPENAI_GROUPS, PASSING_FAULTS, Books, ProviderApis, provider_apis

TODAY = datetime.now(UTC).date()
DAYS = 35
"""More than the days that either provider may still revise."""

FIRST, YESTERDAY = TODAY - timedelta(days=DAYS), TODAY - timedelta(days=1)
CANARY = "sk-admin-canary-5f0c"
CURRENT = "_dlt_valid_to is null"


@dataclass
class Printed:
    code: int
    out: str
    error: str


def llm_spend(*words: object, **environment: str) -> Printed:
    """The command line, in this process and without long waits."""
    out, error, code = StringIO(), StringIO(), 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(error):
        patch.setattr(client, "BACKOFF_SECONDS", 0.01)
        for provider in (OPENAI, ANTHROPIC):
            patch.delenv(provider.key_variable, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["llm-spend", *map(str, words)])
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Printed(code, out.getvalue(), error.getvalue())


@contextmanager
def api(books: Books | None = None, **options: object) -> Iterator[ProviderApis]:
    with provider_apis(ProviderApis(books or Books.of(7, FIRST, DAYS), **options)) as apis:
        yield apis


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Books, str]:
    """Both providers' days in a database, through every passing fault, as one chunk; the books; what was printed."""
    database = tmp_path_factory.mktemp("bills") / "bills.duckdb"
    books = Books.of(7, FIRST, DAYS)
    keys = {"openai": CANARY, "anthropic": CANARY}
    faults = [fault for passing in PASSING_FAULTS for fault in (passing, "")]
    printed = ""
    with api(books, keys=keys, faults=faults, statuses={"usage/web_search_calls": 404}) as apis:
        for provider in ("openai", "anthropic"):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(fetch, "CHUNK_DAYS", DAYS)
                result = llm_spend("ingest", provider, "--since", FIRST, "--db", database, **apis.environment)
            assert result.code == 0, result.error
            printed += result.out + result.error
    return database, books, printed


@pytest.fixture
def bills(fetched: tuple[Path, Books, str], tmp_path: Path) -> tuple[Path, Books]:
    """A copy of them to go on with."""
    return shutil.copy(fetched[0], tmp_path / "bills.duckdb"), Books.of(7, FIRST, DAYS)


# What is stored


def test_openai_usage_is_what_the_api_said(fetched: tuple[Path, Books, str]) -> None:
    database, books, _ = fetched
    said = {}
    for report in OPENAI_GROUPS:
        kind = report.removeprefix("usage/")
        if report in ("costs", "usage/web_search_calls"):
            continue
        for day, result in books.rows(report):
            counts = {name: value for name, value in result.items() if type(value) is int}
            groups = [result.get(name) for name in ("project_id", "api_key_id", "model", "batch", "service_tier")]
            said[(day, kind, *groups)] = counts
    columns = [name for name, *_ in query(database, "describe raw.raw_openai_usage")]
    stored = {}
    for row in query(database, "select * from raw.raw_openai_usage"):
        named = dict(zip(columns, row, strict=True))
        key = tuple(named[name] for name in ("usage_date", "usage_kind", "project_id", "api_key_id", "model", "batch"))
        assert (*key, named["service_tier"]) not in stored
        stored[(*key, named["service_tier"])] = {name: v for name, v in named.items() if type(v) is int}
    assert stored == said
    places = "select distinct usage_kind, vector_store_id, size, source, context_level from raw.raw_openai_usage"
    assert set(query(database, f"{places} where coalesce(vector_store_id, size, source, context_level) <> ''")) == {
        ("images", None, "1024x1024", "image.edit", None),
        ("file_search_calls", "vs_1", None, None, None),
    }


def test_openai_costs_are_exact(fetched: tuple[Path, Books, str]) -> None:
    database, books, _ = fetched
    said = {
        (day, r["project_id"], r["api_key_id"], r["line_item"], r["amount"]["value"], "usd", r["quantity"], "tokens")
        for day, r in books.rows("costs")
    }
    stored = query(
        database,
        """
        select usage_date, project_id, api_key_id, line_item, amount, currency, quantity, quantity_unit
        from raw.raw_openai_costs
        """,
    )
    assert len(stored) == len(said)
    assert set(stored) == said
    assert len({row[0] for row in stored}) < DAYS, "the books should have an empty day"


def test_anthropic_reports_are_exact(fetched: tuple[Path, Books, str]) -> None:
    database, books, _ = fetched
    costs = {
        (day, r["workspace_id"], r["description"], r["token_type"], r["model"], Decimal(r["amount"]), "USD")
        for day, r in books.rows("cost_report")
    }
    stored = query(
        database,
        """
        select usage_date, workspace_id, description, token_type, model, amount_cents, currency
        from raw.raw_anthropic_costs
        """,
    )
    assert len(stored) == len(costs)
    assert set(stored) == costs
    usage = {
        (
            *(day, r["workspace_id"], r["api_key_id"], r["model"], r["context_window"], r["uncached_input_tokens"]),
            *(r["cache_creation"]["ephemeral_5m_input_tokens"], r["cache_creation"]["ephemeral_1h_input_tokens"]),
            *(r["cache_read_input_tokens"], r["output_tokens"], r["server_tool_use"]["web_search_requests"]),
        )
        for day, r in books.rows("usage_report/messages")
    }
    stored = query(
        database,
        """
        select
            usage_date, workspace_id, api_key_id, model, context_window, uncached_input_tokens,
            cache_creation_5m_input_tokens, cache_creation_1h_input_tokens, cache_read_input_tokens, output_tokens,
            web_search_requests
        from raw.raw_anthropic_usage
        """,
    )
    assert len(stored) == len(usage)
    assert set(stored) == usage


def test_each_day_is_noted_whether_it_holds_anything(fetched: tuple[Path, Books, str]) -> None:
    noted = query(fetched[0], "select provider, report, usage_date from raw.raw_bill_periods")
    days = [FIRST + timedelta(days=day) for day in range(DAYS)]
    assert sorted(noted) == sorted((p, r, d) for p in ("openai", "anthropic") for r in ("usage", "costs") for d in days)


def test_one_line_says_what_a_report_brought(fetched: tuple[Path, Books, str]) -> None:
    _, books, printed = fetched
    costs = len(books.rows("costs"))
    assert (
        f"openai costs  {FIRST} to {YESTERDAY}, {DAYS} days fetched: {costs} rows new, 0 replaced or gone\n" in printed
    )
    assert "  not there for this organization: web_search_calls\n" in printed
    assert len(printed.splitlines()) == 5


def test_files_stay_readable_for_older_clients(fetched: tuple[Path, Books, str]) -> None:
    tags = query(fetched[0], "select tags['storage_version'] from duckdb_databases() where not internal")
    assert tags == [("v1.4.0+",)]


# Keys


def holds(path: Path, text: str) -> list[Path]:
    files = [path, *path.rglob("*")] if path.is_dir() else [path]
    return [file for file in files if file.is_file() and text.encode() in _unpacked(file)]


def _unpacked(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()


def test_the_key_is_written_nowhere(fetched: tuple[Path, Books, str]) -> None:
    database, _, printed = fetched
    assert CANARY not in printed
    assert holds(database.parent, CANARY) == []
    texts = query(database, "select table_schema, table_name from information_schema.tables")
    assert texts
    for schema, table in texts:
        assert CANARY not in str(query(database, f'select * from "{schema}"."{table}"'))


def test_the_key_is_not_in_what_dlt_writes_on_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []

    def look(*_arguments: object) -> None:
        work = warehouse.work_folder()
        found.append((holds(work, CANARY), len(holds(work, "proj_web"))))
        raise UserError("stopped", exit_code=1)

    monkeypatch.setattr(warehouse.Warehouse, "mark_fetched", look)
    with api(keys={"openai": CANARY, "anthropic": CANARY}) as apis:
        days = ("--since", FIRST, "--until", FIRST)
        result = llm_spend("ingest", "openai", *days, "--db", tmp_path / "b.duckdb", **apis.environment)
    assert result.code == 1
    [(with_key, with_rows)] = found
    assert with_key == []
    assert with_rows, "these are the files that the rows went through"
    assert not warehouse.work_folder().exists()


@pytest.mark.parametrize(
    ("provider", "variable"), [("openai", "OPENAI_ADMIN_KEY"), ("anthropic", "ANTHROPIC_ADMIN_KEY")]
)
def test_a_missing_key_is_named(provider: str, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(variable, raising=False)
    result = llm_spend("ingest", provider, "--since", "2026-01-01", "--db", tmp_path / "b.duckdb")
    assert result.code == 2
    assert f"error: {variable} is not set" in result.error
    assert len(result.error.splitlines()) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_asks_for_an_admin_key(status: int, tmp_path: Path) -> None:
    with api(statuses={"cost_report": status}, keys={"openai": "", "anthropic": CANARY}) as apis:
        result = llm_spend("ingest", "anthropic", "--since", FIRST, "--db", tmp_path / "b.duckdb", **apis.environment)
    assert result.code == 1
    assert f"refuses the key in ANTHROPIC_ADMIN_KEY (HTTP {status}): it takes an admin key" in result.error
    assert CANARY not in result.error
    assert len(result.error.splitlines()) == 1


# What is asked again


def snapshot(database: Path) -> dict[str, list[tuple]]:
    tables = ("raw_openai_usage", "raw_openai_costs", "raw_anthropic_usage", "raw_anthropic_costs", "raw_bill_lines")
    have = {name for (name,) in query(database, "select table_name from duckdb_tables() where schema_name = 'raw'")}
    return {name: sorted(query(database, f"select * from raw.{name}"), key=str) for name in tables if name in have}


def test_a_second_run_changes_nothing_even_with_endpoints_away(bills: tuple[Path, Books]) -> None:
    database, books = bills
    away = {"usage/embeddings": 404, "usage/images": 403, "usage/web_search_calls": 403}
    before, schemas = snapshot(database), query(database, "select count(*) from raw._dlt_version")
    with api(books, statuses=away) as apis:
        for provider, days in (("openai", OPENAI.final_after_days), ("anthropic", ANTHROPIC.final_after_days)):
            apis.requests.clear()
            result = llm_spend("ingest", provider, "--db", database, **apis.environment)
            assert result.code == 0, result.error
            assert f"costs  {FIRST} to {YESTERDAY}, {days} days fetched: nothing changed" in result.out
            missing = "not there for this organization: embeddings, images, web_search_calls"
            assert (missing in result.out) == (provider == "openai")
            assert any("cost" in request for request in apis.requests)
    assert snapshot(database) == before
    assert query(database, "select count(*) from raw._dlt_version") == schemas


def test_a_revised_day_keeps_its_old_version(bills: tuple[Path, Books]) -> None:
    database, books = bills
    before = set(query(database, "select * from raw.raw_openai_costs"))
    emptied, day = sorted(books.reports["costs"], reverse=True)[:2]
    lost = {report: books.reports[report].pop(emptied) for report in OPENAI_GROUPS}["costs"]
    revised, gone, *_ = books.reports["costs"][day]
    old, new = revised["amount"]["value"], revised["amount"]["value"] + Decimal("0.000000000001")
    revised["amount"]["value"] = new
    books.reports["costs"][day].remove(gone)
    books.reports["costs"][day].append({**gone, "line_item": "web search"})
    with api(books) as apis:
        result = llm_spend("ingest", "openai", "--db", database, **apis.environment)
    assert f"7 days fetched: 2 rows new, {2 + len(lost)} replaced or gone" in result.out, result
    after = set(query(database, "select * from raw.raw_openai_costs"))
    assert len(after) == len(before) + 2
    assert len(before - after) == 2 + len(lost), "those have an end now"
    versions = query(
        database,
        f"""
        select amount, {CURRENT}, _dlt_valid_to is not distinct from max(_dlt_valid_from) over ()
        from raw.raw_openai_costs
        where usage_date = ? and project_id is not distinct from ? and line_item = ? and api_key_id = ?
        order by _dlt_valid_from
        """,
        *(day, revised["project_id"], revised["line_item"], revised["api_key_id"]),
    )
    assert versions == [(old, False, True), (new, True, False)]
    current = query(database, f"select count(*), sum(amount) from raw.raw_openai_costs where {CURRENT}")
    assert current == [(len(books.rows("costs")), sum(r["amount"]["value"] for _, r in books.rows("costs")))]
    kept = query(database, f"select count(*) from raw.raw_openai_usage where {CURRENT} and usage_kind = 'completions'")
    assert kept == [(len(books.rows("usage/completions")),)]


def test_again_reads_final_days_too(bills: tuple[Path, Books]) -> None:
    database, books = bills
    day = min(books.reports["cost_report"])
    books.reports["cost_report"][day][0]["amount"] = "0.1"
    with api(books) as apis:
        arguments = ("ingest", "anthropic", "--since", day, "--until", day, "--db", database)
        assert "are here and final: nothing to fetch" in llm_spend(*arguments, **apis.environment).out
        assert "1 row new, 1 replaced or gone" in llm_spend(*arguments, "--again", **apis.environment).out


def test_days_are_fetched_until_they_are_final() -> None:
    days = [date(2026, 1, 1) + timedelta(days=day) for day in range(100)]
    read_on = {day: datetime(2026, 1, 21, tzinfo=UTC) for day in days[:20]}
    # The first of January is over on the second and final on the ninth; so is the 13th when the 21st begins.
    assert days_to_fetch(read_on, days[0], days[24], 7) == [(days[13], days[25])]
    assert days_to_fetch({}, days[0], days[99], 7) == [
        (days[0], days[31]),
        (days[31], days[62]),
        (days[62], days[93]),
        (days[93], days[99] + timedelta(days=1)),
    ]
    gap = {day: datetime(2027, 1, 1, tzinfo=UTC) for day in (*days[:3], *days[5:9])}
    assert days_to_fetch(gap, days[0], days[9], 7) == [(days[3], days[5]), (days[9], days[10])]
    assert days_to_fetch(gap, days[0], days[2], 7) == []


# What goes wrong


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("openai",), 2, "--since is missing: no day of openai is here yet"),
        (("openai", "--since", "last week"), 2, "--since last week: not an ISO 8601 day"),
        (("openai", "--since", TODAY + timedelta(days=1)), 2, "has not come yet"),
        (("openai", "--since", FIRST, "--until", TODAY + timedelta(days=1)), 2, "has not come yet"),
        (("openai", "--since", FIRST, "--until", FIRST - timedelta(days=1)), 2, "is before the first day"),
        (("mistral", "--since", FIRST), 2, "No such command 'mistral'"),
    ],
)
def test_wrong_usage(words: tuple[object, ...], code: int, says: str, tmp_path: Path) -> None:
    result = llm_spend("ingest", *words, "--db", tmp_path / "b.duckdb", OPENAI_ADMIN_KEY="sk")
    assert (result.code, says in result.error) == (code, True), result


def test_no_whole_day_is_nothing_to_fetch(tmp_path: Path) -> None:
    result = llm_spend("ingest", "openai", "--since", TODAY, "--db", tmp_path / "b.duckdb", OPENAI_ADMIN_KEY="sk")
    assert (result.code, result.out) == (0, "openai  no whole day yet: nothing to fetch\n")


def test_an_organization_without_any_traffic(tmp_path: Path) -> None:
    database = tmp_path / "b.duckdb"
    books = Books({report: {} for report in Books.of(1, FIRST, 9).reports})
    with api(books) as apis:
        result = llm_spend("ingest", "openai", "--since", FIRST, "--until", FIRST, "--db", database, **apis.environment)
        assert "openai usage  " in result.out, result
        assert "1 day fetched: nothing changed" in result.out
        again = llm_spend("ingest", "openai", "--until", FIRST, "--db", database, **apis.environment)
    assert "are here and final" in again.out
    assert query(database, "select count(*) from raw.raw_openai_costs") == [(0,)]


def test_what_fails_for_good_goes_on_from_the_last_chunk(tmp_path: Path) -> None:
    database, books = tmp_path / "b.duckdb", Books.of(7, FIRST, DAYS)
    command = ("ingest", "anthropic", "--since", FIRST, "--db", database)
    with api(books, page_days=31) as apis:
        # Usage and costs of the first 31 days, then the usage of the next, then nothing more.
        apis.faults = ["", "", "", *["500"] * client.ATTEMPTS]
        failed = llm_spend(*command, **apis.environment)
        assert failed.code == 1
        assert "anthropic costs (http://127.0.0.1" in failed.error
        assert f"still answers HTTP 500 after {client.ATTEMPTS} attempts: what came before is kept" in failed.error
        assert len(failed.error.splitlines()) == 1
        kept = query(database, "select count(*), max(usage_date) from raw.raw_bill_periods")
        assert kept == [(62, FIRST + timedelta(days=30))]
        after = llm_spend(*command, **apis.environment)
    assert after.code == 0, after.error
    stored = query(database, "select count(*), sum(amount_cents) from raw.raw_anthropic_costs")
    amounts = [Decimal(result["amount"]) for _, result in books.rows("cost_report")]
    assert stored == [(len(amounts), sum(amounts))]


def test_an_answer_that_is_not_as_documented_changes_nothing(bills: tuple[Path, Books]) -> None:
    database, books = bills
    before = snapshot(database)
    results = books.reports["cost_report"][max(books.reports["cost_report"])]
    results.append({**results[0], "amount": "1"})
    with api(books) as apis:
        result = llm_spend("ingest", "anthropic", "--db", database, **apis.environment)
    assert result.code == 1
    assert "answered what its documentation does not say, the same group twice: " in result.error
    assert len(result.error.splitlines()) == 1
    assert snapshot(database) == before


def _bucket(**result: object) -> dict[str, object]:
    return {"data": [{"starting_at": f"{FIRST}T00:00:00Z", "results": [result]}], "has_more": False, "next_page": None}


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"data": "none", "has_more": False, "next_page": None}, "without a whole page"),
        ({"error": "overloaded"}, "no whole JSON page"),
        ({"data": [], "has_more": True, "next_page": None}, "without a whole page"),
        ({"data": [{"results": []}], "has_more": False, "next_page": None}, "a bucket without 'starting_at'"),
        (_bucket(amount="ten", currency="USD"), "amount_cents 'ten' is not a plain decimal number"),
        (_bucket(amount=None, currency="USD"), "amount_cents is missing"),
        (_bucket(currency="USD"), f"a result of {FIRST}: 'amount'"),
        (_bucket(amount="1", currency=7), "currency 7 is not a text"),
    ],
)
def test_an_answer_that_is_not_as_documented_is_an_error(
    answer: object, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "BACKOFF_SECONDS", 0.01)
    with api(answers={"cost_report": answer}) as apis:
        for name, value in apis.environment.items():
            monkeypatch.setenv(name, value)
        report = ANTHROPIC.reports[-1]
        with pytest.raises(UserError) as raised:
            list(client.rows(client.client(ANTHROPIC), ANTHROPIC, report, FIRST, FIRST + timedelta(days=1)))
    assert says in str(raised.value)
    assert raised.value.exit_code == 1


def test_a_database_in_use_is_named(tmp_path: Path) -> None:
    database = tmp_path / "b.duckdb"
    holding = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", holding, database], stdin=-1, stdout=-1, text=True)
    assert holder.stdout.readline() == "open\n"
    result = llm_spend("ingest", "openai", "--since", FIRST, "--db", database, OPENAI_ADMIN_KEY="sk")
    holder.communicate("")
    assert result.code == 1
    assert f"is in use by process {holder.pid}" in result.error


def test_without_dlt_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlt", None)
    result = llm_spend("ingest", "openai", "--since", FIRST, "--db", tmp_path / "b.duckdb", OPENAI_ADMIN_KEY="sk")
    assert (result.code, "pip install 'llm-spend[bills]'" in result.error) == (1, True)


def test_only_ingest_pays_for_dlt() -> None:
    code = "import sys, llm_spend.cli; sys.exit('dlt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        ("spark", "target spark: bills cannot be written to spark (dlt does not write to it)"),
        ("clickhouse", "target clickhouse: bills cannot be written to clickhouse (dlt has no schemas there"),
        ("oracle", "profiles.yml has no such target"),
    ],
)
def test_an_engine_without_a_way_says_so(engine: str, says: str) -> None:
    result = llm_spend("ingest", "openai", "--since", FIRST, OPENAI_ADMIN_KEY="sk", LLM_SPEND_TARGET=engine)
    assert (result.code, says in result.error) == (2, True), result
    assert len(result.error.splitlines()) == 1


def test_a_duckdb_file_and_another_engine_exclude_each_other() -> None:
    words = ("ingest", "openai", "--since", FIRST, "--db", "x.duckdb")
    result = llm_spend(*words, OPENAI_ADMIN_KEY="sk", LLM_SPEND_TARGET="postgres")
    assert (result.code, "--db names a DuckDB file, and LLM_SPEND_TARGET is postgres" in result.error) == (2, True)


def test_numbers_of_any_length_are_kept_to_the_last_digit() -> None:
    amount = {"usage_date": FIRST, "currency": "usd"}
    longest = "99999999999999999999.999999999999999999"
    assert OPENAI_COSTS.row({**amount, "amount": Decimal(longest)})["amount"] == Decimal(longest)
    rounded = OPENAI_COSTS.row({**amount, "amount": Decimal("1.2345678901234567885e-5")})["amount"]
    assert rounded == Decimal("0.000012345678901235")
    with pytest.raises(ValueError, match="is not below 1e20"):
        OPENAI_COSTS.row({**amount, "amount": Decimal("1e20")})
    with pytest.raises(ValueError, match="an exact number"):
        OPENAI_COSTS.row({**amount, "amount": 0.1})


# Kills


def kill_and_resume(folder: Path, seed: int, kills: int, days: int) -> None:
    """A backfill that is killed again and again, at any moment, holds each bucket once in the end."""
    chance, killed = random.Random(seed), 0
    first = TODAY - timedelta(days=days)
    books, database, home = Books.of(seed, first, days), folder / "killed.duckdb", folder / "home"
    home.mkdir()
    of_root = Path("/var/dlt").exists()
    command = [Path(sys.executable).with_name("llm-spend"), "ingest", "openai", "--since", str(first), "--db", database]
    with api(books, page_days=31, keys={"openai": CANARY, "anthropic": ""}) as apis:
        environment = {**os.environ, **apis.environment, "HOME": str(home)}
        for kill in range(kills + 1):
            moment = (chance.randint(1, 20), chance.choice((0, 0.1, 0.3, 0.6, 1.0)))
            with subprocess.Popen(command, env=environment, cwd=home, stdout=-1, stderr=-1, text=True) as process:
                apis.kill(process, *(moment if kill < kills else (None, 0)))
                _, error = process.communicate()
            # A run whose days were all there may end before its kill.
            assert process.returncode in (0, -signal.SIGKILL), error
            killed += process.returncode != 0
            assert holds(warehouse.work_folder(), CANARY) == []
    assert process.returncode == 0, error
    assert killed > kills / 2
    assert list(home.iterdir()) == []
    assert Path("/var/dlt").exists() == of_root, "dlt writes there in the place of a home"
    costs = query(database, f"select count(*), sum(amount) from raw.raw_openai_costs where {CURRENT}")
    assert costs == [(len(books.rows("costs")), sum(r["amount"]["value"] for _, r in books.rows("costs")))]
    stored = query(database, f"select usage_kind, count(*) from raw.raw_openai_usage where {CURRENT} group by all")
    said = {report.removeprefix("usage/"): len(books.rows(report)) for report in OPENAI_GROUPS if report != "costs"}
    assert dict(stored) == said
    groups = "usage_date, usage_kind, project_id, api_key_id, model, batch, service_tier"
    twice = f"select {groups} from raw.raw_openai_usage where {CURRENT} group by all having count(*) > 1"
    assert query(database, twice) == []
    assert query(database, "select count(*) from raw.raw_openai_costs where _dlt_valid_to is not null") == [(0,)]
    assert query(database, "select count(*), count(distinct usage_date) from raw.raw_bill_periods") == [
        (2 * days, days)
    ]


def test_a_killed_run_is_taken_up_again(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, seed=1, kills=1, days=20)


@pytest.mark.slow
def test_many_kills_leave_each_bucket_once(tmp_path: Path) -> None:
    kill_and_resume(tmp_path, seed=11, kills=12, days=80)


# A bill in a file


def bill(folder: Path, text: str, name: str = "bill.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


BILL = """\
usage_date,project_id,model,charge_type,usage_type,quantity,unit,amount,currency,description,team
2026-10-01,prod,gpt-5.2,usage,input,1000000,tokens,1.250000000000000001,usd,"Input, cached",a
2026-10-01,prod,gpt-5.2,usage,input,1000000,tokens,1.250000000000000001,usd,"Input, cached",a
2026-10-02T23:30:00-02:00,,,adjustment,,,,-0.10,EUR,credit,
2026-10-04,,,,,,,0,,,
"""


def lines(database: Path, where: str = CURRENT) -> list[tuple]:
    return query(
        database,
        f"""
        select usage_date, provider, project_id, model, charge_type, quantity, amount, currency, description
        from raw.raw_bill_lines where {where} order by usage_date, amount
        """,
    )


def test_a_bill_in_our_columns(tmp_path: Path) -> None:
    database, file = tmp_path / "b.duckdb", bill(tmp_path, BILL)
    first = llm_spend("ingest", "csv", file, "--provider", "azure", "--db", database)
    assert first.code == 0, first.error
    assert first.out == f"{file}  2026-10-01 to 2026-10-04, 3 days: 4 rows new, 0 replaced or gone\n  not used: team\n"
    usage = ("azure", "prod", "gpt-5.2", "usage", 10**6, Decimal("1.250000000000000001"), "usd", "Input, cached")
    assert lines(database) == [
        (date(2026, 10, 1), *usage),
        (date(2026, 10, 1), *usage),
        (date(2026, 10, 3), "azure", None, None, "adjustment", None, Decimal("-0.1"), "EUR", "credit"),
        (date(2026, 10, 4), "azure", None, None, "usage", None, Decimal(0), "USD", None),
    ]
    before = snapshot(database)
    with gzip.open(tmp_path / "packed.csv.gz", "wt") as packed:
        packed.write(BILL)
    again = llm_spend("ingest", "csv", tmp_path / "packed.csv.gz", "--provider", "azure", "--db", database)
    assert "3 days: nothing changed" in again.out, again
    assert snapshot(database) == before
    periods = query(database, "select provider, report, usage_date from raw.raw_bill_periods order by all")
    assert periods == [("azure", "costs", date(2026, 10, day)) for day in (1, 3, 4)]


def test_a_file_replaces_the_same_days_of_the_same_provider(tmp_path: Path) -> None:
    database = tmp_path / "b.duckdb"
    azure, groq = ("--provider", "azure", "--db", database), ("--provider", "groq", "--db", database)
    one = bill(tmp_path, "usage_date,amount\n2026-10-01,1\n2026-10-02,2\n2026-10-02,2\n")
    for provider in (azure, groq):
        assert llm_spend("ingest", "csv", one, *provider).code == 0
    two = bill(tmp_path, "usage_date;amount\n2026-10-02;2\n2026-10-03;3\n", "two.csv")
    assert "1 row new, 1 replaced or gone" in llm_spend("ingest", "csv", two, *azure).out
    assert [(row[0].day, row[6]) for row in lines(database, f"provider = 'azure' and {CURRENT}")] == [
        (1, 1),
        (2, 2),
        (3, 3),
    ]
    assert [(row[0].day, row[6]) for row in lines(database, f"provider = 'groq' and {CURRENT}")] == [
        (1, 1),
        (2, 2),
        (2, 2),
    ]


def test_a_bill_in_focus_columns(tmp_path: Path) -> None:
    database = tmp_path / "b.duckdb"
    file = bill(
        tmp_path,
        "\ufeffBilledCost,BillingCurrency,ChargeCategory,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,SkuId,"
        "SubAccountId,ChargeDescription\r\n"
        "12.5,USD,Usage,2026-10-01T00:00:00Z,1e6,Tokens,gpt-5.2,sub-1,Tokens\r\n"
        "100,USD,Purchase,2026-10-01T00:00:00Z,,,,,Provisioned\r\n"
        "-3,USD,Credit,2026-10-01T00:00:00Z,,,,,Thanks\r\n",
    )
    result = llm_spend("ingest", "csv", file, "--provider", "azure", "--db", database)
    assert result.code == 0, result.error
    day = date(2026, 10, 1)
    assert lines(database) == [
        (day, "azure", None, None, "fixed", None, Decimal(-3), "USD", "Thanks"),
        (day, "azure", "sub-1", "gpt-5.2", "usage", Decimal(10**6), Decimal("12.5"), "USD", "Tokens"),
        (day, "azure", None, None, "fixed", None, Decimal(100), "USD", "Provisioned"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("usage_date,amount\n2026-10-01,1\n01/10/2026,1\n", ":3: usage_date '01/10/2026' is not an ISO 8601 day"),
        ('usage_date,amount\n2026-10-01,"1,234.5"\n', ":2: amount '1,234.5' is not a plain decimal number"),
        ("usage_date,amount\n2026-10-01,\n", ":2: amount is missing"),
        ("usage_date,amount\n2026-10-01,nan\n", ":2: amount 'nan' is not a plain decimal number"),
        ("ChargePeriodStart,BilledCost,ConsumedQuantity\n2026-10-01,1,some\n", ":2: ConsumedQuantity 'some' is not"),
        ("usage_date,amount,charge_type\n2026-10-01,1,refund\n", ":2: charge_type 'refund' is not usage, fixed"),
        ("usage_date,amount\n2026-10-01,1,2\n", ":2: has 3 values where the header names 2"),
        ("usage_date,amount\n", "holds no row below its header"),
        ("day,cost\n2026-10-01,1\n", "the header has no usage_date (in FOCUS ChargePeriodStart); it names day, cost"),
    ],
)
def test_a_bad_row_and_nothing_lands(text: str, says: str, tmp_path: Path) -> None:
    database = tmp_path / "b.duckdb"
    result = llm_spend("ingest", "csv", bill(tmp_path, text), "--provider", "azure", "--db", database)
    assert (result.code, says in result.error) == (2, True), result
    assert query(database, "select count(*) from duckdb_tables()") == [(0,)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("bill.csv", "--provider", "openai"), "its bill comes from its API (llm-spend ingest openai)"),
        (("bill.csv", "--provider", "Azure; drop"), "use lower-case letters"),
        (("none.csv", "--provider", "azure"), "no such file"),
        (("bill.jsonl", "--provider", "azure"), "a bill is read from .csv or .tsv"),
        (("bill.csv",), "Missing option '--provider'"),
    ],
)
def test_a_bill_that_cannot_be_read(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    for name in ("bill.csv", "bill.jsonl"):
        bill(tmp_path, BILL, name)
    result = llm_spend("ingest", "csv", tmp_path / words[0], *words[1:], "--db", tmp_path / "b.duckdb")
    assert (result.code, says in result.error) == (2, True), result


def test_the_same_line_twice_is_two_rows() -> None:
    row = dict.fromkeys(BILL_LINES.kinds)
    hashes = [one["_row_hash"] for one in hashed([row, row, {**row, "amount": Decimal(1)}])]
    assert len(set(hashes)) == 3
    assert Counter(hashes) == Counter(one["_row_hash"] for one in hashed([{**row, "amount": Decimal(1)}, row, row]))
    assert all(len(bytes.fromhex(one)) == hashlib.sha256().digest_size for one in hashes)


# A server


@pytest.mark.slow
def test_postgres_holds_what_duckdb_holds(fetched: tuple[Path, Books, str], tmp_path: Path) -> None:
    from servers.postgres import postgres_engine

    database, _, _ = fetched
    books = Books.of(7, FIRST, DAYS)
    with (
        TemporaryDirectory() as folder,
        postgres_engine(Path(folder)) as engine,
        api(books, statuses={"usage/web_search_calls": 404}) as apis,
    ):
        environment = {**apis.environment, **engine.environment, "LLM_SPEND_TARGET": "postgres"}
        for provider in ("openai", "anthropic"):
            result = llm_spend("ingest", provider, "--since", FIRST, **environment)
            assert result.code == 0, result.error
        result = llm_spend("ingest", "csv", bill(tmp_path, BILL), "--provider", "azure", **environment)
        assert "4 rows new" in result.out, result
        assert same_as_duckdb(engine.query, database)
        for provider, days in (("openai", 7), ("anthropic", 30)):
            result = llm_spend("ingest", provider, **environment)
            assert result.out.count(f"{days} days fetched: nothing changed") == 2, result
        assert same_as_duckdb(engine.query, database)

        day = max(books.reports["costs"])
        books.reports["costs"][day] = []
        result = llm_spend("ingest", "openai", **environment)
        assert "0 rows new, 6 replaced or gone" in result.out, result
        _, ended = engine.query("select count(*) from raw.raw_openai_costs where _dlt_valid_to is not null")
        assert ended == [(6,)]
        wrong = llm_spend("ingest", "openai", **{**environment, "LLM_SPEND_POSTGRES_PASSWORD": "wrong-secret"})
        assert wrong.code == 1
        assert "the warehouse (postgres)" in wrong.error
        assert "wrong-secret" not in wrong.error


def same_as_duckdb(ask: Callable[[str], tuple[list[str], list[tuple]]], database: Path) -> bool:
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        for table in ("raw_openai_usage", "raw_openai_costs", "raw_anthropic_usage", "raw_anthropic_costs"):
            names = [name for name, *_ in connection.execute(f"describe raw.{table}").fetchall()]
            said = ", ".join(name for name in names if not name.startswith("_dlt"))
            rows = connection.execute(f"select {said} from raw.{table} where {CURRENT}").fetchall()
            _, found = ask(f"select {said} from raw.{table} where {CURRENT}")
            assert sorted(found, key=str) == sorted(rows, key=str)
            assert rows
    return True


# What is made of it


def test_the_tolerances_know_a_bill_as_final_when_it_is_read_no_more() -> None:
    seed = (project_dir() / "seeds" / "config" / "reconciliation_tolerances.csv").read_text(encoding="utf-8")
    days = {row["provider"]: int(row["final_after_days"]) for row in csv.DictReader(StringIO(seed))}
    assert {provider.name: provider.final_after_days for provider in (OPENAI, ANTHROPIC)}.items() <= days.items()


@pytest.mark.slow
def test_what_was_fetched_is_the_bill_that_the_log_is_held_against(bills: tuple[Path, Books], tmp_path: Path) -> None:
    """Each dollar of both APIs, in the reconciliation of a log that has one call."""
    database, books = bills
    call = {"started_at": f"{FIRST}T12:00:00Z", "provider": "openai", "model": "gpt-4o", "input_tokens": 1000}
    log = write_jsonl(tmp_path / "log.jsonl", [{**call, "output_tokens": 10}])
    build_sources(database, {log: None}, "monthly_reconciliation", as_of=f"{TODAY} 12:00:00")
    said = {
        "openai": sum(row["amount"]["value"] for _, row in books.rows("costs")),
        "anthropic": sum(Decimal(row["amount"]) for _, row in books.rows("cost_report")) / 100,
    }
    found = query(database, "select provider, sum(billed_cost_usd) from marts.monthly_reconciliation group by provider")
    assert {provider: round(usd, 6) for provider, usd in found} == {
        provider: round(usd, 6) for provider, usd in said.items()
    }
