"""The report's data, statements and file, without a browser; test_report_page.py looks at the page in one."""

import base64
import gzip
import hashlib
import json
import math
import re
import shutil
import stat
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import query, run_cli
from llm_spend.database import connect
from llm_spend.defs.report import report as spend_report
from llm_spend.errors import UserError
from llm_spend.publish import publish
from llm_spend.report import cubes, report_path, write_report
from llm_spend.report.data import read
from llm_spend.report.encoding import EXACT, encode
from llm_spend.report.page import page
from llm_spend.writing import begin_build

HOSTILE = {
    "enterprise-alpha": "<script>alert(1)</script>",
    "enterprise-beta": '=HYPERLINK("http://x","y")',
    "brightcart": "'; drop table",
    "tidepool": "🦊🚀" * 150,
    "harborline": "</script><img src=x onerror=alert(1)>",
}


def rename_tenants(database: Path, names: Mapping[str, str]) -> None:
    """In every table that says a tenant."""
    with duckdb.connect(str(database)) as connection:
        for table, column in connection.execute(
            """
            select table_name, column_name from duckdb_columns()
            where schema_name = 'marts' and column_name in ('tenant_id', 'scope_id', 'entity_id')
                and table_name in (select table_name from duckdb_tables() where schema_name = 'marts')
            """
        ).fetchall():
            for old, new in names.items():
                connection.execute(f"update marts.{table} set {column} = $1 where {column} = $2", [new, old])


def empty_marts(database: Path) -> None:
    with duckdb.connect(str(database)) as connection:
        for (table,) in connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts'"
            " and table_name not in ('dim_dates', 'package_settings', 'dim_model_prices')"
        ).fetchall():
            connection.execute(f"delete from marts.{table}")


def read_from(database: Path) -> dict:
    with connect(database, read_only=True) as connection:
        return read(connection)


def decoded(table: Mapping) -> list[dict]:
    """The rows of an encoded table as the page reads them, amounts exact."""

    def column(of: Mapping) -> list:
        if "names" in of:
            return [of["names"][place] for place in of["values"]]
        if "decimals" in of:
            return [None if unit is None else Decimal(unit).scaleb(-of["decimals"]) for unit in of["values"]]
        return of["values"]

    columns = {name: column(of) for name, of in table["columns"].items()}
    return [{name: values[row] for name, values in columns.items()} for row in range(table["length"])]


@pytest.fixture(scope="module")
def content(demo: Path) -> dict:
    return read_from(demo)


@pytest.fixture(scope="module")
def text(content: dict) -> str:
    return page(content)


def test_the_spend_is_that_of_the_attempts_for_every_day_tenant_and_endpoint(demo: Path, content: dict) -> None:
    expected = query(
        demo,
        """
        select usage_date::text, environment || ' ' || data_mode, tenant_id, endpoint_tag, sum(coalesce(cost_usd, 0)),
            count(*), sum(is_first_attempt::int), sum(coalesce(wasted_cost_usd, 0))
        from marts.fct_llm_attempts group by all
        """,
    )
    for name in ("spend", "users"):
        sums: dict[tuple, list] = {}
        for row in decoded(content["cubes"][name]):
            key = (row["day"], row["traffic"], row["tenant"], row["endpoint"])
            found = sums.setdefault(key, [Decimal(0), 0, 0, Decimal(0)])
            for place, measure in enumerate(("cost", "attempts", "requests", "wasted")):
                found[place] += row[measure]
        if name == "spend":
            assert sums == {row[:4]: list(row[4:]) for row in expected}
        else:  # the users that are named, never more than there is
            assert sums.keys() <= {row[:4] for row in expected}
            assert all(sums[row[:4]][0] <= row[4] for row in expected if row[:4] in sums)


def test_what_does_not_fit_is_everything_else_and_totals_stay(
    demo: Path, content: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cubes, "MAX_ROWS", 3000)
    folded = read_from(demo)
    assert folded["cubes"]["spend"]["length"] <= 3000
    assert folded["others"]["tenant"] > 0
    for cube in ("spend", "cache", "margin"):
        whole, small = decoded(content["cubes"][cube]), decoded(folded["cubes"][cube])
        for measure in content["cubes"][cube]["measures"]:
            assert sum(row[measure] for row in small) == sum(row[measure] for row in whole), (cube, measure)
    tenants = {row["tenant"] for row in decoded(folded["cubes"]["spend"])}
    assert None in tenants
    assert "tidepool" in tenants, "an alert pages for it"


def test_a_long_history_is_cut_to_its_last_days(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cubes, "MAX_ROWS", 100)
    monkeypatch.setattr(cubes, "FITS", ((50, 50, None), (2, 2, 7)))
    folded = read_from(demo)
    assert folded["first_day"] == "2026-10-19"
    ((expected,),) = query(demo, "select sum(cost_usd) from marts.fct_daily_spend where usage_date >= '2026-10-19'")
    assert sum(row["cost"] for row in decoded(folded["cubes"]["spend"])) == expected


@given(st.lists(st.decimals(min_value=-(10**9), max_value=10**9, places=12) | st.none(), min_size=1))
def test_amounts_are_exact_or_add_up_exactly_in_javascript(amounts: list[Decimal | None]) -> None:
    column = encode(["usd"], [(amount,) for amount in amounts])["columns"]["usd"]
    present = [amount for amount in amounts if amount is not None]
    if not present:
        assert column["names"] == [None]
        return
    assert sum(abs(unit) for unit in column["values"] if unit is not None) < EXACT + len(amounts)
    step = Decimal(1).scaleb(-column["decimals"])
    for amount, unit in zip(amounts, column["values"], strict=True):
        assert (amount is None) == (unit is None)
        if amount is not None:
            assert abs(unit * step - amount) <= step / 2 * (column["decimals"] < 12) * 2
    if sum(abs(amount) for amount in present) < 9000:
        assert [unit * step for unit in column["values"] if unit is not None] == present


def test_every_list_is_what_its_statement_gives(demo: Path, content: dict) -> None:
    assert content["lists"]
    for name, table in content["lists"].items():
        with duckdb.connect(str(demo), read_only=True) as connection:
            cursor = connection.execute(table["sql"])
            columns = [column[0] for column in cursor.description]
            expected = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        assert [_plain(row) for row in decoded(table)] == [_plain(row) for row in expected], name


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    def value(of: object) -> object:
        if isinstance(of, bool):
            return str(of).lower()
        if isinstance(of, datetime):
            return of.isoformat(" ", "seconds")
        if isinstance(of, float):
            return round(of, 9)
        return of if of is None or isinstance(of, int | Decimal | str) else str(of)

    return {name: value(of) for name, of in row.items()}


def test_samples_are_requests_of_the_facts(demo: Path, content: dict) -> None:
    rows = decoded(content["samples"])
    assert 0 < len(rows) <= 1200
    facts = {
        event: found
        for event, *found in query(
            demo,
            """
            select attempts.event_id, sum(all_of_it.cost_usd), count(*)
            from marts.fct_llm_attempts as attempts
            inner join marts.fct_llm_attempts as all_of_it using (request_key)
            group by attempts.event_id
            """,
        )
    }
    for row in rows:
        assert [row["cost"], row["attempts"]] == facts[row["event"]], row
    ((planted,),) = query(demo, "select count(*) from marts.fct_llm_attempts where prompt_version = 'summarizer_v4'")
    assert planted > sum(row["version"] == "summarizer_v4" for row in rows) >= 8


def test_the_bill_is_on_the_page_as_the_mart_has_it(demo: Path, content: dict) -> None:
    causes = ["coverage_usd", "tokens_usd", "price_usd", "non_token_usd", "fixed_usd", "timing_usd", "unexplained_usd"]
    for row in decoded(content["lists"]["bills"]):
        assert row["billed_cost_usd"] - row["our_cost_usd"] == sum(row[cause] for cause in causes)
    differ = sum(row["difference_usd"] for row in decoded(content["lists"]["bill_gaps"]))
    assert query(demo, "select sum(difference_usd) from marts.provider_reconciliation") == [(differ,)]
    unseen = [row for row in decoded(content["lists"]["bill_gaps"]) if row["api_key_id"] == "key_playground"]
    assert [(row["our_cost_usd"], row["coverage_usd"] == row["billed_cost_usd"]) for row in unseen] == [(0, True)]


# ---- the file


def test_the_page_is_one_file_that_fetches_nothing(text: str) -> None:
    assert len(text.encode()) < 2_000_000
    assert not re.findall(r"<(?:link|img|iframe|object|embed|base)\b", text.partition("<script")[0])
    assert not re.findall(r"<script[^>]*\bsrc=", text)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    scripts = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
    allowed = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    assert re.findall(r"'sha256-([^']+)'", policy) == allowed
    assert len(allowed) == 2


def test_the_page_carries_its_data(content: dict, text: str) -> None:
    packed = re.search(r'<script id="data" type="text/plain">([A-Za-z0-9+/=]*)</script>', text)[1]
    carried = json.loads(gzip.decompress(base64.b64decode(packed)))
    assert carried["cubes"] == json.loads(json.dumps(content["cubes"]))
    assert carried["charts"].keys() >= {"spend", "budgets", "waterfall", "intervals"}
    assert page(content) == text, "the same data give the same page"


def test_names_are_not_markup(demo: Path, tmp_path: Path) -> None:
    database = Path(shutil.copyfile(demo, tmp_path / "spend.duckdb"))
    rename_tenants(database, HOSTILE)
    content = read_from(database)
    assert set(HOSTILE.values()) <= set(content["cubes"]["spend"]["columns"]["tenant"]["names"])
    text = page(content)
    assert not [name for name in HOSTILE.values() if name in text]
    assert text.count("</script>") == 3


THEMES = {"light": ":root {", "dark": ':root[data-theme="dark"] {'}
SIGHT = {
    "any colour": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
"""Linear RGB as it is seen; Machado, Oliveira and Fernandes 2009, full severity."""


def _colours(theme: str) -> dict[str, str]:
    style = (Path(cubes.__file__).parent / "page.css").read_text()
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})\b", style.partition(THEMES[theme])[2].partition("}")[0]))


def _linear(colour: str) -> list[float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def _weighed(weights: Sequence[float], parts: Sequence[float]) -> float:
    return sum(weight * part for weight, part in zip(weights, parts, strict=True))


def _contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""
    dark, light = sorted(_weighed((0.2126, 0.7152, 0.0722), _linear(colour)) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _lab(linear: Sequence[float]) -> tuple[float, float, float]:
    def root(share: float) -> float:
        return max(share, 0) ** (1 / 3) if share > 0.008856 else 7.787 * share + 16 / 116

    x = root(_weighed((0.4124, 0.3576, 0.1805), linear) / 0.9505)
    y = root(_weighed((0.2126, 0.7152, 0.0722), linear))
    z = root(_weighed((0.0193, 0.1192, 0.9505), linear) / 1.089)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", THEMES)
def test_colours_can_be_told_from_their_ground(theme: str) -> None:
    colours = _colours(theme)
    texts = [
        ("text", "paper"), ("text", "ground"), ("soft", "paper"), ("soft", "ground"), ("soft", "pill"),
        ("link", "paper"), ("link", "ground"), ("text", "pill"), ("bad", "bad-ground"), ("bad", "paper"),
        ("warn-text", "warn-ground"), ("warn-text", "paper"), ("good", "good-ground"), ("paper", "link"),
    ]  # fmt: skip
    marks = [(name, "paper") for name in colours if name.startswith(("series-", "more", "less"))]
    low = {pair: ratio for pair in texts if (ratio := _contrast(*(colours[name] for name in pair))) < 4.5}
    low |= {pair: ratio for pair in marks if (ratio := _contrast(*(colours[name] for name in pair))) < 3}
    assert not low


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", THEMES)
def test_colours_of_a_chart_can_be_told_apart_by_everybody(theme: str, sight: str) -> None:
    seen = {
        name: _lab([min(1, max(0, _weighed(row, _linear(colour)))) for row in SIGHT[sight]])
        for name, colour in _colours(theme).items()
        if name.startswith("series-")
    }
    assert min(math.dist(seen[one], seen[other]) for one, other in combinations(seen, 2)) > 15


def test_the_command_writes_beside_the_database_for_its_owner(demo: Path, tmp_path: Path) -> None:
    database = Path(shutil.copyfile(demo, tmp_path / "spend.duckdb"))
    result = run_cli("report", "--db", database)
    assert result.returncode == 0, result.stderr
    target = tmp_path / "spend.report.html"
    assert result.stdout.split() == ["Report", str(target)]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"spend.duckdb", "spend.report.html"}

    copy = publish(database, tmp_path / "copy.duckdb").path
    assert write_report(copy, tmp_path / "copy.html").path.read_text() == target.read_text()


def test_dagster_makes_it_of_the_published_copy(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "spend.duckdb"
    publish(demo, tmp_path / "spend.published.duckdb")
    monkeypatch.setenv("LLM_SPEND_DUCKDB_PATH", str(database))
    run = dg.materialize([spend_report])
    (made,) = run.asset_materializations_for_node("llm_spend__report")
    assert made.metadata["path"].value == str(tmp_path / "spend.report.html")
    assert not database.exists(), "the warehouse is free for the next build"


def test_the_demo_ends_with_its_report(demo_run: tuple[Path, str]) -> None:
    database, printed = demo_run
    assert printed.splitlines()[-1].split() == ["Report", str(report_path(database))]
    assert report_path(database).stat().st_size < 2_000_000


def test_an_empty_log_has_a_report(demo: Path, tmp_path: Path) -> None:
    database = Path(shutil.copyfile(demo, tmp_path / "spend.duckdb"))
    empty_marts(database)
    content = read_from(database)
    assert content["first_day"] is None
    assert [cube["length"] for cube in content["cubes"].values()] == [0, 0, 0, 0]
    assert write_report(database).size < 1_500_000


def test_without_finished_marts_it_says_what_to_do(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        write_report(tmp_path / "none.duckdb")
    with connect(tmp_path / "empty.duckdb"):
        pass
    with pytest.raises(UserError, match="run llm-spend build first"):
        write_report(tmp_path / "empty.duckdb")
    database = Path(shutil.copyfile(demo, tmp_path / "spend.duckdb"))
    begin_build(database)
    with pytest.raises(UserError, match="did not end well: build again"):
        write_report(database)
    result = run_cli("report", "--db", demo, "--to", tmp_path / "report.pdf")
    assert (result.returncode, "ends in .html" in result.stderr) == (2, True)
    assert not list(tmp_path.glob("*.html"))
