"""The report in a browser, from its file: what it shows is what the marts hold, and it asks nobody for anything."""

import csv
import io
import math
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode

import duckdb
import pytest

from conftest import query
from llm_spend.database import connect
from llm_spend.report import write_report
from test_report import HOSTILE, empty_marts, rename_tenants

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH (Debian: apt-get install chromium)"),
]

SECTIONS = (
    "overview", "tenants", "endpoints", "users", "models", "versions", "retries", "cache", "margin", "alerts",
    "bill",
    "quality",
)  # fmt: skip
MARKS = "g.mark-rect path, g.mark-area path, g.mark-line path, g.mark-symbol path, g.mark-rule line"


class Reader:
    """A person at a browser that writes down what the page asks for and what goes wrong."""

    def __init__(self, page: "sync_api.Page", file: Path) -> None:
        self.page, self.file = page, file
        self.asked: list[str] = []
        self.wrong: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.wrong.append(message.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("dialog", lambda dialog: self.wrong.append(f"dialog {dialog.message}"))

    def open(self, address: str) -> "sync_api.Page":
        self.page.goto(f"{self.file.as_uri()}{address}")
        return self.drawn(address)

    def drawn(self, address: str | None = None) -> "sync_api.Page":
        """The page, when the charts of its address are drawn."""
        shown = address or self.page.evaluate("location.hash")
        self.page.wait_for_selector(f"html[data-ready={_quoted(shown)}]", state="attached", timeout=30_000)
        return self.page

    def click(self, name: str, panel: str) -> "sync_api.Page":
        before = self.page.url
        self.panel(panel).get_by_role("link", name=name, exact=True).click()
        assert self.page.url != before
        return self.drawn()

    def panel(self, title: str) -> "sync_api.Locator":
        return self.page.locator(f"section.panel[aria-label={_quoted(title)}]")

    def rows(self, panel: str) -> list[list[str]]:
        """The cells in sight, row by row, the headings first and the total last."""
        rows = self.panel(panel).locator("tr:visible").all()
        return [[cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in rows]

    def sql(self, panel: "sync_api.Locator") -> str:
        panel.get_by_role("button", name=re.compile("as SQL$")).click()
        text = self.page.locator("#sql pre").inner_text()
        self.page.keyboard.press("Escape")
        return text

    def csv(self, panel: "sync_api.Locator") -> list[dict[str, str]]:
        with self.page.expect_download() as download:
            panel.get_by_role("button", name=re.compile("as CSV$")).click()
        text = Path(download.value.path()).read_text(encoding="utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def done(self) -> None:
        assert self.wrong == []
        own = (self.file.as_uri(), "blob:", "data:")
        assert [url for url in self.asked if not url.startswith(own)] == []


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@pytest.fixture(scope="module")
def browser() -> "Iterator[sync_api.Browser]":
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        yield browser
        browser.close()


Visit = Callable[..., Reader]


@pytest.fixture
def visit(browser: "sync_api.Browser") -> Iterator[Visit]:
    contexts, readers = [], []

    def visit(file: Path, **options: object) -> Reader:
        context = browser.new_context(viewport={"width": 1360, "height": 900}, accept_downloads=True, **options)
        context.set_offline(True)
        contexts.append(context)
        readers.append(Reader(context.new_page(), file))
        return readers[-1]

    yield visit
    for reader in readers:
        reader.done()
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def report(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(demo, tmp_path_factory.mktemp("report") / "demo.html").path


@pytest.fixture(scope="module")
def hostile(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A database whose tenants have such names, and its report."""
    database = Path(shutil.copyfile(demo, tmp_path_factory.mktemp("hostile") / "spend.duckdb"))
    rename_tenants(database, HOSTILE)
    return database, write_report(database).path


def usd(amount: object) -> str:
    size = abs(float(amount))
    decimals = 2 if size == 0 or size >= 0.1 else 4 if size >= 0.001 else 6
    return f"{'−' if amount < 0 else ''}${size:,.{decimals}f}"  # noqa: RUF001


def test_every_section_draws_its_charts(report: Path, visit: Visit) -> None:
    reader = visit(report)
    charts = set()
    for section in SECTIONS:
        page = reader.open(f"#/{section}")
        assert page.locator("section.panel").count() > 0, section
        assert page.locator(".panel .empty").count() == 0, section
        for chart in page.locator("[data-chart]").all():
            charts.add(chart.get_attribute("data-chart"))
            assert int(chart.get_attribute("data-drawn")) > 0
            assert chart.locator(MARKS).count() > 0, (section, chart.get_attribute("data-chart"))
            assert chart.get_attribute("role") == "img"
            assert len(chart.get_attribute("aria-label")) > 20
    assert charts == {"spend", "cumulative", "budgets", "waterfall", "intervals", "hit_rate", "signed", "coverage"}


def test_from_the_spike_to_the_prompt_version_in_three_clicks(report: Path, demo: Path, visit: Visit) -> None:
    reader = visit(report)
    reader.open("#/overview")
    reader.click("checkout.summary", "Top endpoints")
    user = reader.rows("Top users")[1][0]
    reader.click(user, "Top users")
    page = reader.click("summarizer_v4", "Prompt versions")
    assert page.locator("h1").inner_text() == "summarizer_v4"
    crumbs = page.locator(".crumbs li").all_inner_texts()
    assert crumbs == ["Overview", "endpoint checkout.summary", f"user {user}", "prompt version summarizer_v4"]
    samples = reader.rows("Sample requests")[1:]
    assert samples
    of_user = "select external_request_id from marts.fct_llm_attempts where prompt_version = $1 and user_id = $2"
    assert {(row[0],) for row in samples} <= set(query(demo, of_user, "summarizer_v4", user))
    assert "+21.5%" in reader.panel("New prompt versions against the ones before").inner_text()

    # the address is the view
    address = page.evaluate("location.hash")
    page.go_back()
    reader.drawn()
    assert page.locator("h1").inner_text() == user
    again = visit(report).open(address)
    assert again.locator("h1").inner_text() == "summarizer_v4"
    assert again.locator(".figures").inner_text() == reader.open(address).locator(".figures").inner_text()


def test_the_open_alert_leads_there_in_two_clicks(report: Path, visit: Visit) -> None:
    reader = visit(report)
    page = reader.open("#/overview")
    page.locator(".card", has_text="summarizer_v4").click()
    page = reader.drawn()
    assert "Requests in evidence" in page.locator("main").inner_text()
    page.get_by_role("link", name="See the spend behind it").click()
    page = reader.drawn()
    assert page.locator("h1").inner_text() == "summarizer_v4"
    assert len(reader.rows("Sample requests")) > 5


def test_the_numbers_in_sight_are_the_marts(report: Path, demo: Path, visit: Visit) -> None:
    reader = visit(report)
    page = reader.open("#/overview")
    for column, panel in (("endpoint_tag", "Top endpoints"), ("tenant_id", "Top tenants")):
        headings, *rows, total = reader.rows(panel)
        assert headings[1:] == ["By day", "Spend", "Share", "Requests"]
        expected = query(
            demo,
            f"select {column}, sum(cost_usd), sum(is_first_attempt::int) from marts.fct_llm_attempts where is_in_scope"
            " group by 1 order by 2 desc",
        )
        whole = sum(cost for _, cost, _ in expected)
        named = [[name, usd(cost), f"{cost / whole:.1%}", f"{requests:,}"] for name, cost, requests in expected]
        shown = [[row[0], *row[2:]] for row in rows if not row[0].startswith("everything else")]
        assert shown == named[: len(shown)]
        assert [total[0], *total[2:]] == ["Total", usd(whole), "100.0%", f"{sum(row[2] for row in expected):,}"]
    ((cost, wasted),) = query(
        demo, "select sum(cost_usd), sum(wasted_cost_usd) from marts.fct_llm_attempts where is_in_scope"
    )
    figures = page.locator(".figures").inner_text()
    assert usd(cost) in figures
    assert usd(wasted) in figures


VIEWS = [
    *(f"#/{section}" for section in SECTIONS),
    "#/overview?from=2026-10-01&to=2026-10-14&tenant=enterprise-alpha",
    "#/retries?traffic=staging+test",
    "#/tenants?traffic=all&from=2026-09-16&to=2026-09-16",
    "#/focus?endpoint=checkout.summary",
    "#/focus?tenant=tidepool&endpoint=research.report&model=gpt-5.2",
    "#/margin?month=2026-09-01",
]


@pytest.mark.parametrize("address", VIEWS)
def test_the_sql_beside_a_table_gives_its_numbers(report: Path, demo: Path, visit: Visit, address: str) -> None:
    reader = visit(report)
    reader.open(address)
    compared = _compare_statements(reader, demo)
    assert compared > 0


def _compare_statements(reader: Reader, database: Path) -> int:
    """Every row of every CSV file is a row of what its statement gives: how many were compared."""
    compared = 0
    panels = reader.page.locator("section.panel", has=reader.page.get_by_role("button", name=re.compile("as CSV$")))
    for panel in panels.all():
        rows, sql = reader.csv(panel), reader.sql(panel)
        with duckdb.connect(str(database), read_only=True) as connection:
            cursor = connection.execute(sql)
            columns = [column[0] for column in cursor.description]
            found = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        title = panel.get_attribute("aria-label")
        shared = [name for name in rows[0] if name in columns]
        assert shared, title
        numbers = {name for name in shared if all(_is_number(row[name]) for row in found)}
        given = {tuple(_text(row[name]) for name in shared if name not in numbers): row for row in found}
        for row in rows:
            if any(text.startswith("everything else") for text in row.values()):
                continue
            key = tuple(row[name].removeprefix("'") for name in shared if name not in numbers)
            assert key in given, (title, key)
            for name in numbers:
                mart = given[key][name]
                if mart is None or not row[name]:
                    assert not row[name] or math.isclose(float(row[name]), 0), (title, key, name)
                    continue
                assert math.isclose(float(row[name]), float(mart), rel_tol=1e-8, abs_tol=1e-9), (title, key, name)
            compared += 1
    return compared


def _is_number(value: object) -> bool:
    return value is None or (not isinstance(value, str | bool) and hasattr(value, "__float__"))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)[:19] if hasattr(value, "hour") else str(value)


def test_hostile_names_are_text_everywhere(hostile: tuple[Path, Path], visit: Visit) -> None:
    database, file = hostile
    reader = visit(file)
    for section in SECTIONS:
        page = reader.open(f"#/{section}")
        assert page.locator("main script, main img, nav script").count() == 0
    page = reader.open("#/tenants")
    for name in HOSTILE.values():
        link = reader.panel("Tenants").get_by_title(name, exact=True)
        assert link.text_content() == name
        assert link.bounding_box()["width"] < 400
        assert page.locator("select[name=tenant]").get_by_title(name, exact=True).count() == 1
    for name in HOSTILE.values():
        reader.open("#/tenants")
        reader.panel("Tenants").get_by_title(name, exact=True).click()
        page = reader.drawn()
        assert page.locator("h1").text_content() == name
        assert parse_qs(page.evaluate("location.hash").partition("?")[2])["tenant"] == [name]
        assert _compare_statements(reader, database) > 0


def test_a_spreadsheet_takes_no_name_for_a_formula(demo: Path, tmp_path: Path, visit: Visit) -> None:
    database = Path(shutil.copyfile(demo, tmp_path / "spend.duckdb"))
    tenants = ("enterprise-alpha", "enterprise-beta", "brightcart", "harborline", "tidepool", "quill-media")
    names = ("=1+1", "+1", "-1", "@a", "\t1", 'a",b\nc')
    rename_tenants(database, dict(zip(tenants, names, strict=True)))
    reader = visit(write_report(database).path)
    reader.open("#/margin")
    rows = {row["tenant"]: row for row in reader.csv(reader.panel("Margin by tenant"))}
    assert {"'=1+1", "'+1", "'-1", "'@a", "'\t1", 'a",b\nc'} <= rows.keys()
    assert float(rows["'\t1"]["margin"]) < 0, "a negative number stays a number"


def test_filters_and_drawn_days_narrow_everything(report: Path, demo: Path, visit: Visit) -> None:
    reader = visit(report)
    page = reader.open("#/overview")
    page.locator("select[name=tenant]").select_option(label="vantage-freight")
    reader.drawn()
    page.locator("input[name=from]").fill("2026-09-29")
    page.locator("input[name=from]").dispatch_event("change")
    reader.drawn()
    page.locator("input[name=to]").fill("2026-09-29")
    page.locator("input[name=to]").dispatch_event("change")
    reader.drawn()
    ((cost,),) = query(
        demo,
        "select sum(cost_usd) from marts.fct_llm_attempts"
        " where is_in_scope and tenant_id = 'vantage-freight' and usage_date = '2026-09-29'",
    )
    assert usd(cost) in page.locator(".figures").inner_text()
    page.locator("select[name=traffic]").select_option(label="Everything")
    reader.drawn()
    assert "traffic=all" in page.evaluate("location.hash")


def test_it_can_be_used_without_a_mouse(report: Path, visit: Visit) -> None:
    reader = visit(report)
    page = reader.open("#/overview")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "checkout.summary":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    reader.drawn()
    assert page.locator("h1").inner_text() == "checkout.summary"
    assert page.evaluate("document.activeElement.id") == "main"
    tables = page.locator("section.panel table")
    assert tables.count() > 3
    assert page.locator("section.panel table:not(:has(thead th[scope=col]))").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_look_follows_the_system_and_the_switch(report: Path, visit: Visit, scheme: str) -> None:
    reader = visit(report, color_scheme=scheme)
    page = reader.open("#/overview")
    paper = "getComputedStyle(document.querySelector('.panel')).backgroundColor"
    before = page.evaluate(paper)
    assert before == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 28, 36)"}[scheme]
    page.locator("#theme").click()
    assert page.evaluate(paper) != before


def test_a_phone_scrolls_down_only(report: Path, visit: Visit) -> None:
    reader = visit(report, device_scale_factor=2)
    reader.page.set_viewport_size({"width": 390, "height": 844})
    for address in ("#/overview", "#/focus?endpoint=checkout.summary", "#/alerts", "#/quality"):
        page = reader.open(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, address


@pytest.mark.parametrize("what", ["nothing", "one day", "no budgets, versions, revenue or alerts"])
def test_what_is_not_there_is_said(demo: Path, tmp_path: Path, visit: Visit, what: str) -> None:
    database = Path(shutil.copyfile(demo, tmp_path / "spend.duckdb"))
    if what == "nothing":
        empty_marts(database)
    with connect(database) as connection:
        if what == "one day":
            for table in ("fct_daily_spend", "fct_llm_attempts", "cache_efficiency", "entity_daily_spend"):
                connection.execute(f"delete from marts.{table} where usage_date <> '2026-09-29'")
            connection.execute("delete from marts.tenant_margin where usage_month <> '2026-09-01'")
        if what.startswith("no"):
            for table in ("budget_status", "prompt_version_deltas", "tenant_margin", "alerts", "spend_change_drivers"):
                connection.execute(f"delete from marts.{table}")
    reader = visit(write_report(database).path)
    for section in SECTIONS:
        page = reader.open(f"#/{section}")
        text = page.locator("main").inner_text()
        assert not re.search(r"\b(NaN|undefined|null|Infinity|Invalid)\b", text), section
        for chart in page.locator("[data-chart]").all():
            assert chart.locator(MARKS).count() > 0, section
    page = reader.open("#/overview")
    said = page.locator(".empty").all_inner_texts()
    assert said, what
    assert all(sentence.endswith(".") for sentence in said)


def test_a_link_to_what_is_gone_shows_what_there_is(report: Path, visit: Visit) -> None:
    reader = visit(report)
    gone = f"#/focus?{urlencode({'endpoint': 'gone', 'from': '1999-01-01', 'to': 'x'})}"
    assert "No call of these days and filters" in reader.open(gone).locator("main").inner_text()
    assert reader.open("#/nowhere").locator("h1").inner_text() == "Overview"
