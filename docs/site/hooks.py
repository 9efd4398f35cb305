"""What MkDocs calls: pages that are made from the project while the site is built, and links that leave docs/."""

import json
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from textwrap import dedent, indent

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import mart_pages
import page_links
import reference_pages
import rule_pages

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = {".sql": "sql", ".py": "python", ".yml": "yaml", ".csv": "text", ".json": "json"}
CONNECTION, LANDING = "<!-- connection -->", "<!-- landing tables -->"
"""Places in the page of an engine for its part of profiles.yml and its file of docs/landing."""
SEEDS = (
    (
        "configuration",
        "seeds/config/",
        "Configuration files",
        "CSV files of yours with these names and columns, in a directory that `--config` names, take the place of the "
        "package's. In a dbt project of yours the var `config_models` names models or seeds instead.",
    ),
    (
        "price_book",
        "seeds/prices/",
        "Price book",
        "What `llm-spend prices refresh` writes. [Prices](../prices.md) says how they become the cost of a call, and "
        "which files of yours change them.",
    ),
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are not in docs/, and puts them into the navigation."""
    pages = {page: _read(path) for path, page in page_links.PAGES.items()} | rules(config) | reference(config)
    for page, text in pages.items():
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "dbt/index.html", abs_src_path=str(dbt_docs(config) / "static_index.html")))
    _add_linked_files(files, config)
    config.nav = expand(config.nav, [file.src_uri for file in files.documentation_pages()])
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links of texts that stand in the repository; what the project says below an introduction."""
    name = page.file.src_uri
    if origin := origin_of(page.file):
        markdown = page_links.rewrite(markdown, origin, name)
    if origin or name.startswith("rules/"):
        markdown = page_links.link_marts(markdown, project(config).pages_of_marts, name)
    if name.startswith("marts/"):
        return mart_pages.family_page(project(config), Path(name).stem, markdown, _from(page.url))
    if name == "flow.md":
        return mart_pages.flow_page(project(config), markdown, _from(page.url))
    if name.startswith("engines/"):
        engine = Path(name).stem
        markdown = markdown.replace(LANDING, landing(engine)) if LANDING in markdown else markdown
        markdown = markdown.replace(CONNECTION, connection(engine)) if CONNECTION in markdown else markdown
    return markdown


def dbt_docs(config: MkDocsConfig) -> Path:
    """The folder that `dbt docs generate` wrote."""
    folder = ROOT / config.extra["dbt_docs"]
    if not (folder / "static_index.html").is_file():
        raise PluginError(f"{config.extra['dbt_docs']} has no dbt docs: run make docs")
    return folder


def project(config: MkDocsConfig) -> mart_pages.Project:
    """The dbt project by its manifest."""
    return _project(dbt_docs(config) / "manifest.json")


@cache
def _project(manifest: Path) -> mart_pages.Project:
    return mart_pages.Project(json.loads(manifest.read_text(encoding="utf-8")))


def origin_of(file: File) -> str | None:
    """Where the page's text stands in the repository; None where it was made for the site."""
    if not file.generated_by:
        return f"docs/{file.src_uri}"
    return {page: path for path, page in page_links.PAGES.items()}.get(file.src_uri)


def expand(nav: list, pages: Sequence[str]) -> list:
    """The navigation with each pattern, such as rules/*, replaced by the pages that it finds and nobody names."""
    named = {line for line in _lines(nav) if "*" not in line}

    def expanded(item: str | dict) -> list:
        if isinstance(item, dict):
            ((title, inner),) = item.items()
            return [{title: [line for part in inner for line in expanded(part)] if isinstance(inner, list) else inner}]
        return [page for page in pages if fnmatch(page, item) and page not in named] if "*" in item else [item]

    return [line for item in nav for line in expanded(item)]


def _lines(nav: list) -> Iterator[str]:
    for item in nav:
        inner = next(iter(item.values())) if isinstance(item, dict) else item
        yield from _lines(inner) if isinstance(inner, list) else [inner]


def rules(config: MkDocsConfig) -> dict[str, str]:
    """A page for each alert rule, and their list."""
    all_rules = rule_pages.read_rows(ROOT / "seeds/config/alert_rules.csv")
    causes = rule_pages.read_rows(ROOT / "seeds/config/alert_causes.csv")
    families = {r["rule_id"]: r["family"] for r in rule_pages.read_rows(ROOT / "seeds/config/alert_inhibitions.csv")}
    meanings = {name: c["description"] for name, c in project(config).seeds["alert_rules"]["columns"].items()}
    runbook = rule_pages.sections(_read("docs/runbook.md"))
    found = rule_pages.incidents_by_rule(_read("README.md"))
    pages = {"rules/index.md": rule_pages.rules_index(all_rules, families, runbook)}
    for rule in all_rules:
        name = rule["rule_id"]
        pages[f"rules/{name}.md"] = rule_pages.rule_page(rule, meanings, runbook[name], causes, found.get(name, []))
    return pages


def reference(config: MkDocsConfig) -> dict[str, str]:
    """The command line, dbt docs, the settings and the seeds."""
    return {
        "reference/command_line.md": reference_pages.command_line(),
        "reference/dbt_docs.md": reference_pages.DBT_DOCS,
        "reference/settings.md": reference_pages.settings(_read("dbt_project.yml")),
    } | {
        f"reference/{name}.md": reference_pages.seeds(project(config), folder, title, introduction)
        for name, folder, title, introduction in SEEDS
    }


def landing(engine: str) -> str:
    """The engine's landing tables, folded."""
    path = f"docs/landing/{engine}.sql"
    return f'??? abstract "{path}"\n\n{indent(_code(path), "    ")}'


def connection(engine: str) -> str:
    """The engine's part of profiles.yml, as code."""
    found = re.search(rf"^    {engine}:\n(?: {{6}}.*\n?)+", _read("profiles.yml"), re.MULTILINE)
    if found is None:
        raise PluginError(f"profiles.yml has no target {engine}")
    return f"```yaml\n{dedent(found.group()).rstrip()}\n```"


def _add_linked_files(files: Files, config: MkDocsConfig) -> None:
    """Files and folders of the repository that a page links to and that are no pages of their own."""
    linked = [
        path
        for file in files.documentation_pages()
        if (origin := origin_of(file))
        for path in page_links.targets(file.content_string, origin)
    ]
    while linked:
        path = linked.pop()
        page = page_links.page_of(path)
        if files.get_file_from_path(page) or not (ROOT / path).exists():
            continue
        if page == path:
            files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
            continue
        if (ROOT / path).is_dir():
            inside = [f"{path}/{file.name}" for file in sorted((ROOT / path).iterdir()) if file.suffix in LANGUAGES]
            listed = "\n".join(f"- [{Path(file).name}]({file})" for file in inside)
            text = page_links.rewrite(f"# {path}\n\n{listed}\n", "README.md", page)
            linked += inside
        else:
            text = _read(path) if path.endswith(".md") else f"# {path}\n\n{_code(path)}\n"
        files.append(File.generated(config, page, content=text))


def _code(path: str) -> str:
    return f"````{LANGUAGES.get(Path(path).suffix, 'text')}\n{_read(path).rstrip()}\n````"


def _read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def _from(address: str) -> mart_pages.Url:
    """Addresses of pages as seen from a page, which is a folder on the site."""
    return lambda page: "../" * address.count("/") + re.sub(r"\.md$", "/", page.removesuffix("index.html"))
