"""The documentation site: what is made from the project is all of the project, and no link leads nowhere."""

import contextlib
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path
from posixpath import normpath
from urllib.parse import unquote, urldefrag

import pytest
import yaml

import hooks
import lineage
import mart_pages
import page_links
import reference_pages
import rule_pages
from lineage import Box
from rule_pages import Incident

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def everything() -> str:
    """The vars with which `make docs` switches on every log and bill."""
    found = re.search(r"^EVERYTHING := ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return re.sub(r"\\\n\s*", " ", found[1])


def run_dbt(folder: Path, *command: str) -> None:
    subprocess.run(
        [
            *(Path(sys.executable).with_name("dbt"), "--quiet", *command, "--vars", everything()),
            *("--project-dir", ROOT, "--profiles-dir", ROOT, "--target-path", folder, "--log-path", folder / "logs"),
        ],
        env={**os.environ, "LLM_SPEND_DUCKDB_PATH": ":memory:", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        check=True,
    )


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> mart_pages.Project:
    folder = tmp_path_factory.mktemp("parsed")
    run_dbt(folder, "parse")
    return mart_pages.Project(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


def rule_ids() -> list[str]:
    return [rule["rule_id"] for rule in rule_pages.read_rows(ROOT / "seeds/config/alert_rules.csv")]


# Links


@pytest.mark.parametrize(
    ("text", "origin", "page", "on_the_site"),
    [
        ("[d](../DECISIONS.md#budgets)", "docs/a.md", "a.md", "[d](decisions.md#budgets)"),
        ("[s](../../macros/x.sql)", "docs/sources/a.md", "sources/a.md", "[s](../files/macros/x.sql.md)"),
        ("[l](../landing/x.sql)", "docs/engines/x.md", "engines/x.md", "[l](../files/docs/landing/x.sql.md)"),
        ("[a](docs/alerts.md)", "README.md", "readme.md", "[a](alerts.md)"),
        ("![p](docs/images/p.png)", "README.md", "readme.md", "![p](images/p.png)"),
        ("![b](results/b.svg)", "benchmarks/README.md", "benchmarks/index.md", "![b](results/b.svg)"),
        ("[t](accuracy.md)", "docs/runbook.md", "rules/data_stale.md", "[t](../accuracy.md)"),
        ("[h](https://example.org/a.md) [o](#own)", "docs/a.md", "a.md", "[h](https://example.org/a.md) [o](#own)"),
        ("```\n[c](../README.md)\n```\n", "docs/a.md", "a.md", "```\n[c](../README.md)\n```\n"),
    ],
)  # fmt: skip
def test_a_link_leads_to_the_page_of_its_file(text: str, origin: str, page: str, on_the_site: str) -> None:
    assert page_links.rewrite(text, origin, page) == on_the_site


def lost(text: str, origin: str) -> list[str]:
    return [path for path in page_links.targets(text, origin) if not (ROOT / path).exists()]


def test_links_of_the_texts_lead_to_files_of_the_repository() -> None:
    texts = [*(str(path.relative_to(ROOT)) for path in DOCS.rglob("*.md")), *page_links.PAGES]
    assert [(path, link) for path in texts for link in lost((ROOT / path).read_text(), path)] == []
    assert lost("[gone](../gone.md) and [here](../README.md)", "docs/a.md") == ["gone.md"]


def test_a_mart_that_a_text_names_is_linked_but_not_twice_and_not_in_code() -> None:
    pages = {"alerts": "marts/alerts.md"}
    text = "# `alerts`\n`alerts.rule_id`, `other`, [`alerts`](a.md)\n```\n`alerts`\n```\n"
    assert page_links.link_marts(text, pages, "sources/a.md") == text.replace(
        "`alerts.rule_id`", "[`alerts.rule_id`](../marts/alerts.md#alerts)"
    )


# Pictures


def test_a_box_stands_right_of_all_that_it_reads() -> None:
    edges = [("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")]
    assert lineage.columns_by_depth("abcd", edges) == {"a": 0, "b": 1, "c": 2, "d": 0}


def test_a_picture_has_each_box_and_each_edge_once_and_a_way_back_is_dashed() -> None:
    boxes = {"a": Box("a<b", "staging"), "b": Box("b", "mart", "#b"), "c": Box("c", "mart")}
    drawn = lineage.draw(boxes, {("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")}, {"a": 0, "b": 1, "c": 2}, "t", {})
    assert (drawn.count("<rect"), drawn.count('class="edge"'), drawn.count('class="edge back"')) == (3, 3, 1)
    assert "a&lt;b" in drawn
    assert '<a href="#b"><rect class="mart"' in drawn
    lefts = [float(x) for x in re.findall(r'<rect class="\w+" x="(\d+)"', drawn)]
    assert lefts[0] < lefts[1] < lefts[2]


def test_boxes_do_not_cover_each_other() -> None:
    boxes = {name: Box(name, "mart") for name in "abcdefgh"}
    edges = {(start, end) for start in "abc" for end in "def"} | {("d", "g"), ("a", "h")}
    columns = lineage.columns_by_depth(boxes, edges)
    found = re.findall(
        r'x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)"', lineage.draw(boxes, edges, columns, "t", {})
    )
    areas = [tuple(map(int, area)) for area in found]
    assert len(areas) == 8
    for number, (x, y, width, height) in enumerate(areas):
        for other_x, other_y, *_ in areas[:number]:
            assert other_x >= x + width or x >= other_x + width or abs(other_y - y) >= height


# Marts


def test_every_mart_stands_on_the_page_of_its_family_alone(project: mart_pages.Project) -> None:
    pages = {family: mart_pages.family_page(project, family, "", str) for family in project.families}
    on_disk = {path.stem: path.parent.name for path in (ROOT / "models/marts").rglob("*.sql")}
    headings = [
        (name, family) for family, page in pages.items() for name in re.findall("^## `(.*)`$", page, re.MULTILINE)
    ]
    assert sorted(headings) == sorted(on_disk.items())
    assert set(pages) == {path.stem for path in (DOCS / "marts").glob("*.md")}
    for mart, family in on_disk.items():
        rows = [f"| `{column}` | " in pages[family] for column in project.models[mart]["columns"]]
        assert rows, mart
        assert all(rows), mart


def test_a_mart_is_told_with_key_neighbours_and_tests(project: mart_pages.Project) -> None:
    page = mart_pages.family_page(project, "spend", "# Spend", str)
    mart = page[page.index("## `tenant_daily_spend`") :]
    assert "**One row per tenant and day, in scope.** Who spends what" in mart
    assert "- **Key:** `tenant_id`, `usage_date`\n" in mart  # models/marts/spend/tenant_daily_spend.yml
    assert '- **Reads:** <a href="marts/spend.md#entity_daily_spend"><code>entity_daily_spend</code></a>' in mart
    assert "**conserves cost, against `fct_daily_spend`**" in mart
    assert page.count("<svg ") == 1


def test_a_picture_of_a_family_leads_to_its_marts_and_neighbours(project: mart_pages.Project) -> None:
    drawn = mart_pages.family_picture(project, "releases", lambda page: f"at:{page}")
    assert '<a href="#prompt_version_deltas">' in drawn
    assert '<a href="at:marts/core.md#dim_prompt_versions">' in drawn
    assert '<a href="at:dbt/index.html#!/model/model.llm_spend.int_prompt_versions_judged">' in drawn


def test_the_flow_shows_every_folder_and_core_after_the_events(project: mart_pages.Project) -> None:
    page = mart_pages.flow_page(project, "# Flow", str)
    folders = {str(path.relative_to(ROOT / "models")) for path in (ROOT / "models").glob("*/*/") if path.is_dir()}
    rows = set(re.findall(r'<span id="([\w-]+)"></span>', page))
    assert rows == {folder.replace("/", "-") for folder in folders - {"staging/app"}}  # only its source is there
    left = {name: int(x) for name, x in re.findall(r'<title>([\w/]+)</title><rect class="\w+" x="(\d+)"', page)}
    assert left["staging/otel"] < left["intermediate/events"] <= left["marts/core"] < left["marts/spend"]


# Rules


def test_every_rule_has_its_page_and_its_section_of_the_runbook(project: mart_pages.Project) -> None:
    runbook = rule_pages.sections((DOCS / "runbook.md").read_text())
    assert set(runbook) == set(rule_ids())
    meanings = {name: column["description"] for name, column in project.seeds["alert_rules"]["columns"].items()}
    for rule in rule_pages.read_rows(ROOT / "seeds/config/alert_rules.csv"):
        page = rule_pages.rule_page(rule, meanings, runbook[rule["rule_id"]], [], [])
        assert page.startswith(f"# `{rule['rule_id']}`\n\n- **Means**: ")
        assert f"| `metric` | `{rule['metric']}` | What it looks at" in page
    index = rule_pages.rules_index([*rule_pages.read_rows(ROOT / "seeds/config/alert_rules.csv")], {}, runbook)
    assert re.findall(r"\]\((\w+)\.md\)", index) == rule_ids()


def test_only_causes_that_are_asked_of_a_rule_stand_on_its_page() -> None:
    rule = {"rule_id": "one", "likely_cause": "It broke", "recommended_action": "Mend it", "metric": "m"}
    causes = [
        {"cause_id": "mine", "rule_ids": "zero one", "signal": "", "explanation": "e", "recommended_action": "a"},
        {"cause_id": "other", "rule_ids": "one_more", "signal": "", "explanation": "e", "recommended_action": "a"},
        {
            "cause_id": "all",
            "rule_ids": "",
            "signal": "s",
            "at_least": "2",
            "explanation": "e",
            "recommended_action": "a",
        },
    ]
    page = rule_pages.rule_page(rule, {"metric": ""}, "Text.", causes, [])
    assert re.findall(r"^\| `(\w+)`: e \| (.*) \| a \|$", page, re.MULTILINE) == [
        ("mine", "always, for this rule"),
        ("all", "`s` is 2 or more"),
    ]


def test_incidents_of_the_demo_are_read_from_its_summary() -> None:
    summary = """
severity  what                             known since       resolved    at stake
critical  budget warning: tenant tidepool  2026-10-15                      $39.26
warning   budget warning: endpoint         2026-10-16 02:00  2026-10-17     $1.00
          checkout.summary
  why, and what to do
"""
    assert rule_pages.incidents_by_rule(summary) == {
        "budget_warning": [
            Incident("critical", "budget warning: tenant tidepool", "2026-10-15", "", "$39.26"),
            Incident("warning", "budget warning: endpoint checkout.summary", "2026-10-16 02:00", "2026-10-17", "$1.00"),
        ]
    }
    with pytest.raises(ValueError, match="no table of alerts"):
        rule_pages.incidents_by_rule("Alerts: none")


def test_the_readme_gives_the_incidents_of_the_demo() -> None:
    text = (ROOT / "README.md").read_text()
    found = rule_pages.incidents_by_rule(text)
    opened, resolved = map(int, re.search(r"^Alerts: (\d+) open, (\d+) resolved$", text, re.MULTILINE).groups())
    assert set(found) <= set(rule_ids())
    assert sum(map(len, found.values())) == opened + resolved


# Engines, sources, reference


def test_every_engine_has_its_page_with_connection_and_landing_tables() -> None:
    engines = yaml.safe_load((ROOT / "profiles.yml").read_text())["llm_spend"]["outputs"]
    assert {path.stem for path in (DOCS / "engines").glob("*.md")} == {"index", *engines}
    for engine in engines:
        page = (DOCS / "engines" / f"{engine}.md").read_text()
        assert hooks.CONNECTION in page
        assert (hooks.LANDING in page) == (DOCS / "landing" / f"{engine}.sql").exists()
        assert hooks.connection(engine).startswith(f"```yaml\n{engine}:\n  type: {engine}\n")
    assert "LLM_SPEND_POSTGRES_HOST" in hooks.connection("postgres")
    assert "clickhouse" not in hooks.connection("postgres")
    with pytest.raises(hooks.PluginError, match="no target oracle"):
        hooks.connection("oracle")


def test_every_log_and_bill_is_switched_on_and_has_its_page(project: mart_pages.Project) -> None:
    switched_on = yaml.safe_load(everything())
    staged = {node["fqn"][2] for node in project.models.values() if node["fqn"][1] == "staging"}
    assert staged | {"app"} == {path.name for path in (ROOT / "models/staging").iterdir() if path.is_dir()}
    pages = "".join(path.read_text() for path in (DOCS / "sources").glob("*.md"))
    assert [log for log in switched_on["usage_sources"][1:] if f"usage_sources: [{log}" not in pages] == []
    bills = (DOCS / "bills.md").read_text()
    assert [bill for bill in switched_on["provider_bills"] if bill not in bills] == []


def test_the_reference_has_every_command_setting_and_file(project: mart_pages.Project) -> None:
    commands = reference_pages.command_line()
    for command in ("demo incidents", "build", "alerts backtest", "ingest csv", "prices refresh"):
        assert f"\n## `llm-spend {command}`\n" in commands
    assert "| `--db` |" in commands
    settings = reference_pages.settings((ROOT / "dbt_project.yml").read_text())
    for name in yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]:
        assert f"\n  {name}: " in settings
    assert "\nmodels:" not in settings
    for folder in ("config", "prices"):
        page = reference_pages.seeds(project, f"seeds/{folder}/", "T", "I")
        files = {path.name for path in (ROOT / "seeds" / folder).glob("*.csv")}
        assert set(re.findall("^## `(.*)`$", page, re.MULTILINE)) == files


def test_a_pattern_of_the_navigation_stands_for_pages_that_nobody_names() -> None:
    nav = ["index.md", {"Rules": ["rules/first.md", "rules/*"]}, {"None": ["gone/*"]}]
    pages = ["rules/a.md", "rules/first.md", "index.md", "rules/b.md"]
    assert hooks.expand(nav, pages) == [
        "index.md",
        {"Rules": ["rules/first.md", "rules/a.md", "rules/b.md"]},
        {"None": []},
    ]


# The built site


class Links(HTMLParser):
    """What a page links to and what may be linked to on it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value and not (tag == "link" and dict(attrs).get("rel") == "canonical"):
                self.links.append(value)


def broken_links(site: Path) -> list[str]:
    """Page and link, for each that leads to no file of the site or to no place on a page."""
    pages = {
        path: Links(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if path.parent.name != "dbt"
    }
    broken = []
    for path, page in pages.items():
        for link in page.links:
            address, anchor = urldefrag(unquote(link))
            if re.match(r"[a-z]+:|//", link):
                continue
            folder = site if address.startswith("/") else path.parent
            target = Path(normpath(folder / address.lstrip("/"))) if address else path
            target = target / "index.html" if target.is_dir() else target
            is_known = not anchor or anchor.startswith("!") or target not in pages or anchor in pages[target].anchors
            if not (target.is_file() and is_known):
                broken.append(f"{path.relative_to(site)}: {link}")
    return sorted(broken)


def test_the_crawl_finds_a_lost_page_anchor_and_picture(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text('<a href="a/#there">1</a><a href="a/#gone">2</a><a href="b/">3</a>')
    (tmp_path / "a" / "index.html").write_text('<p id="there"><img src="../p.png"><a href="https://example.org/">4</a>')
    assert broken_links(tmp_path) == ["a/index.html: ../p.png", "index.html: a/#gone", "index.html: b/"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    run_dbt(folder / "dbt", "docs", "generate", "--static", "--empty-catalog")
    subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder / "site"],
        cwd=ROOT,
        env={**os.environ, "LLM_SPEND_DBT_DOCS": str(folder / "dbt"), "NO_MKDOCS_2_WARNING": "1"},
        check=True,
    )
    return folder / "site"


@pytest.mark.slow
def test_no_link_of_the_site_leads_nowhere(site: Path) -> None:
    assert broken_links(site) == []
    assert (site / "dbt/index.html").stat().st_size > 1_000_000
    assert {path.name for path in (site / "rules").iterdir() if path.is_dir()} == set(rule_ids())


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


PLACES = (
    "",
    "flow/",
    "marts/core/",
    "marts/spend/",
    "rules/retry_multiplier_increase/",
    "engines/postgres/",
    "readme/",
)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH (Debian: apt-get install chromium)")
def test_a_browser_asks_nobody_else_and_finds_what_is_searched(site: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    with served(site) as home, sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
        )
        asked, wrong = [], []

        def opened(places: Sequence[str], width: int, scheme: str) -> Iterator["sync_api.Page"]:
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
            page.on("request", lambda request: asked.append(request.url))
            for place in places:
                # dbt's own page asks for pictures that it does not bring.
                if place != "dbt/":
                    page.on("console", lambda message: wrong.append(message.text))
                    page.on("pageerror", lambda error: wrong.append(str(error)))
                page.goto(home + place, wait_until="networkidle")
                yield page

        for width, scheme in ((1280, "light"), (1280, "dark"), (390, "light")):
            for page in opened(PLACES, width, scheme):
                assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
                if "marts" in page.url or "flow" in page.url:
                    box = page.locator(".lineage svg").bounding_box()
                    assert box["width"] > 300
                    assert box["height"] > 100
        (page,) = opened([""], 1280, "light")
        page.get_by_role("textbox", name="Search").fill("retry_multipliers")
        page.wait_for_selector(".md-search-result__item a[href*='marts/efficiency/']", timeout=30_000)
        (page,) = opened(["dbt/"], 1280, "light")
        page.goto(f"{home}dbt/#!/overview/llm_spend")
        page.get_by_text("has a row for each call").wait_for(timeout=30_000)
        browser.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith((home, "data:", "blob:"))] == []
