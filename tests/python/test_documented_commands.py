"""Every code block of README.md and docs/ holds: read by its own program at once, and run, page by page, where slow.

A block of a new kind, a command of a new program and an output that nothing compares fail here, until they are right or
stand with their reason in documentation_pages.py.
"""

import ast
import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext, redirect_stdout
from copy import copy
from datetime import UTC, date, datetime
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
import sqlfluff
import typer
import yaml
from rich.console import Console

import bills
from conftest import MODELS_ONLY, ROOT
from documentation import Block, all_blocks, answers, blocks, blocks_of, commands, pages, programs, shows, table
from documentation_pages import NOT_PARSED, NOT_RUN, PREPARATIONS, SQL_OF, TEXT_OF, YAML_OF, Preparation
from llm_spend import cli
from llm_spend.bills.tables import OPENAI_COSTS
from llm_spend.ingest.mapping import parse_mapping
from llm_spend.ingest.schema import EVENT_COLUMNS, create_statements
from provider_apis import Books, ProviderApis, provider_apis

LANGUAGES = {"sh", "crontab", "sql", "yaml", "python", "csv", "json", "text"}
READING = ("llm-spend alerts list", "llm-spend alerts show", "llm-spend explain", "llm-spend prices show")
"""Commands that only print what a database holds: their output is compared without building anything."""
SUPERSET = {"apache-superset", "cachetools", "duckdb-engine", "flask-caching", "psycopg2-binary"}
"""Packages of another program's environment, which the project does not know."""
OTHERS = {"aws", "clickhouse-client", "curl", "echo", "export", "jq", "psql", "read", "uvx"}
"""Programs that are not ours and whose arguments nothing checks here. What fetches from elsewhere is in NOT_RUN."""


def entry(entries: Mapping[tuple[str, str], str], block: Block) -> str | None:
    """What a list says of a block."""
    return next((said for (page, start), said in entries.items() if page == block.page and block.begins(start)), None)


def not_run(command: str) -> bool:
    return command.startswith(tuple(NOT_RUN))


def only_reads(command: str) -> bool:
    return command.startswith(READING)


def is_of_the_demo(page: str) -> bool:
    preparation = PREPARATIONS.get(page, Preparation())
    return bool(preparation.demo or preparation.demo_log)


# What a block is


@pytest.mark.parametrize("block", all_blocks(), ids=str)
def test_a_block_says_what_it_is(block: Block) -> None:
    assert block.language, f"{block}: fence it with a language"
    assert block.language in LANGUAGES, f"{block}: write a check for this language first"
    assert not re.search(r"\t| $", block.text, re.MULTILINE), f"{block}: a tab, or a blank at the end of a line"


@pytest.mark.parametrize("block", all_blocks("text"), ids=str)
def test_a_text_is_the_output_of_something(block: Block) -> None:
    before = next((before for before, shown in answers(block.page) if shown == block), None)
    runs = before and (
        (before.language == "sql" and not entry(SQL_OF, before))
        or (before.language == "sh" and not all(map(not_run, commands(before))))
    )
    assert runs or entry(TEXT_OF, block), f"{block}: nothing before it prints it, and TEXT_OF does not say why"


def test_the_lists_hold_nothing_that_is_gone() -> None:
    for entries, language in ((SQL_OF, "sql"), (NOT_PARSED, "sql"), (YAML_OF, "yaml"), (TEXT_OF, "text")):
        for page, start in entries:
            found = [block for block in all_blocks(language) if block.page == page and block.begins(start)]
            assert len(found) == 1, f"{page}: {len(found)} blocks begin with {start!r}"
    shell = [command for block in all_blocks("sh") for command in commands(block)]
    for start in NOT_RUN:
        assert any(command.startswith(start) for command in shell), f"NOT_RUN: no command begins with {start!r}"
    for page in PREPARATIONS:
        assert page in pages(), f"PREPARATIONS: {page} is gone"
        assert any(block.language == "sh" for block in blocks(page)), f"PREPARATIONS: {page} has no command"


# Commands


def silenced(command: Any) -> Any:
    """A copy of a command line that reads its words and does nothing: the program's own goes on to work here."""
    quiet = copy(command)
    quiet.callback = lambda **_: None
    if below := getattr(command, "commands", {}):
        quiet.commands = {name: silenced(each) for name, each in below.items()}
    return quiet


@cache
def command_line(program: str) -> Any:
    """The click command behind a program's name."""
    if program == "llm-spend":
        return silenced(typer.main.get_command(cli.app))
    if program == "dbt":
        from dbt.cli.main import cli as dbt

        return silenced(dbt)
    if program == "mf":
        from dbt_metricflow.cli.main import cli as metricflow

        return silenced(metricflow)
    from dagster._cli import create_dagster_cli

    return silenced(create_dagster_cli())


def read_by_click(program: str, words: list[str]) -> None:
    command_line(program).main(words, prog_name=program, standalone_mode=False)


def read_by_make(_: str, words: list[str]) -> None:
    targets = re.findall(r"^([a-z-]+):(?!=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for word in words:
        assert word in targets or "=" in word, f"make {word}: no such target"


def read_by_pip(_: str, words: list[str]) -> None:
    """Only what the project knows is asked of pip: itself with its extras, and its dependencies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    known = {re.split(r"[\[<>=]", need)[0] for needs in [project["dependencies"], *extras.values()] for need in needs}
    assert words[0] == "install"
    for word in words[1:]:
        name, wanted = re.fullmatch(r"([\w-]+)(?:\[(.*)\])?.*", word).groups()
        assert word == "--upgrade" or name in known | SUPERSET | {"llm-spend"}, f"pip: the project does not know {name}"
        assert not wanted or set(wanted.split(",")) <= extras.keys(), f"pip: no extra {wanted}"


def read_by_python(_: str, words: list[str]) -> None:
    if words[0] == "-c":
        ast.parse(words[1])
    else:
        assert (ROOT / words[0]).is_file(), words[0]


READERS: dict[str, Callable[[str, list[str]], None]] = {
    "llm-spend": read_by_click,
    "dbt": read_by_click,
    "dagster": read_by_click,
    "mf": read_by_click,
    "make": read_by_make,
    "pip": read_by_pip,
    "python": read_by_python,
}


def read_command(command: str) -> None:
    """Fails where a program would not understand its words."""
    for path, *words in programs(command):
        program = Path(path).name
        if program in READERS:
            READERS[program](program, words)
        else:
            assert program in OTHERS, f"{program}: say in READERS how its words are checked, or name it in OTHERS"


@pytest.mark.parametrize("block", all_blocks("sh"), ids=str)
def test_commands_are_understood(block: Block) -> None:
    for command in commands(block):
        read_command(command)


@pytest.mark.parametrize("block", all_blocks("crontab"), ids=str)
def test_lines_of_a_crontab_are_understood(block: Block) -> None:
    for line in block.text.splitlines():
        *times, command = line.split(maxsplit=5)
        assert all(re.fullmatch(r"[\d*/,-]+", time) for time in times), line
        read_command(command)


@pytest.mark.parametrize(
    "command",
    [
        "llm-spend bild",
        "llm-spend build --event log.jsonl",
        "llm-spend alerts show",
        "llm-spend build --wait soon",
        "make demos",
        "pip install 'llm-spend[bill]'",
        "pip install pandsa",
        "dbt bulid",
        "ls | llm-spnd build",
        ".venv/bin/python -c 'import'",
        "llm-spend build && llm-spend repotr",
    ],
)
def test_a_wrong_command_is_found(command: str) -> None:
    with pytest.raises((Exception, SystemExit)):  # each program has errors of its own
        read_command(command)


def test_a_program_still_works_after_its_words_were_read() -> None:
    from dbt.cli.main import cli as dbt

    works = dbt.commands["parse"].callback
    assert silenced(dbt).commands["parse"].callback is not works
    assert dbt.commands["parse"].callback is works


def test_words_of_a_command() -> None:
    command = "A=1 make demo | jq -c '.[] | .a' > 'to file' && for id in 1 2; do echo $id; done < ids.txt # why"
    assert programs(command) == [
        ["make", "demo"],
        ["jq", "-c", ".[] | .a"],
        ["id", "in", "1", "2"],
        ["echo", "$id"],
    ]


# SQL


@pytest.fixture(scope="module")
def warehouse(demo: Path, module_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The demo, with the tables that a load and a fetched bill make."""
    copy = shutil.copyfile(demo, module_path / "demo.duckdb")
    bills.land(copy, OPENAI_COSTS, [], datetime(2026, 10, 26, tzinfo=UTC))
    with duckdb.connect(str(copy)) as connection:
        for statement in create_statements():
            connection.execute(statement)
        yield connection


def asked(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """What the last of some statements answers, as docs show it. Nothing is left of what they write."""
    connection.execute("begin")
    try:
        for statement in connection.extract_statements(sql):
            connection.execute(statement)
        return table([column for column, *_ in connection.description], connection.fetchall())
    finally:
        connection.execute("rollback")


def model_keys(sql: str) -> list[str]:
    """The fields that a documented dbt model gives to `llm_spend.usage_event`."""
    given: list[str] = []

    class Package:
        @staticmethod
        def usage_event(fields: Mapping[str, str]) -> str:
            given.extend(fields)
            return "1"

    sqlfluff.parse(jinja2.Template(sql).render(llm_spend=Package, ref=lambda *names: names[-1]), dialect="duckdb")
    return given


@pytest.mark.parametrize("block", all_blocks("sql"), ids=str)
def test_sql_is_right(block: Block, warehouse: duckdb.DuckDBPyConnection) -> None:
    dialect = entry(SQL_OF, block)
    if dialect == "dbt":
        assert set(model_keys(block.text)) <= {column.name for column in EVENT_COLUMNS}
    elif dialect:
        with pytest.raises(sqlfluff.api.simple.APIParsingError) if entry(NOT_PARSED, block) else nullcontext():
            sqlfluff.parse(block.text, dialect=dialect)
    else:
        asked(warehouse, block.text)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (query, shown)
        for page in pages()
        for query, shown in answers(page)
        if query.language == "sql" and not entry(SQL_OF, query)
    ],
    ids=str,
)
def test_a_query_answers_what_is_shown(query: Block, shown: Block, warehouse: duckdb.DuckDBPyConnection) -> None:
    answer = asked(warehouse, query.text)
    assert shows(shown.text, answer), f"{query} answers\n{answer}"


@pytest.mark.parametrize("sql", ["select 1 from marts.no_mart", "select no_column from marts.alerts", "selct 1"])
def test_wrong_sql_is_found(sql: str, warehouse: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error):
        asked(warehouse, sql)


def test_sql_of_another_engine_that_is_none_is_found() -> None:
    with pytest.raises(sqlfluff.api.simple.APIParsingError):
        sqlfluff.parse("create view v as select from from t", dialect="postgres")


# Files


def read_yaml(text: str) -> None:
    """A mapping, or a piece of dbt_project.yml or packages.yml: every name in it is one that is read."""
    content = yaml.safe_load(text)
    if content.keys() <= {"vars"}:
        package = content["vars"].get("llm_spend", content["vars"])
        assert not package.keys() - known_vars(), f"no such var: {package.keys() - known_vars()}"
        tables = {path.stem for path in (ROOT / "seeds" / "config").glob("*.csv")}
        assert package.get("config_models", {}).keys() <= tables
    elif content.keys() == {"packages"}:
        assert all(package.keys() <= {"local", "git", "revision"} for package in content["packages"])
    elif content.keys() <= {"models", "semantic-models", "metrics"}:
        for configured in content.values():
            assert configured.keys() == {"llm_spend"}
            read_configuration(configured["llm_spend"], ROOT / "models")
    elif content.keys() == {"concurrency"}:
        ours = yaml.safe_load((ROOT / "orchestration" / "dagster.yaml").read_text(encoding="utf-8"))
        assert content["concurrency"]["pools"].items() <= ours["concurrency"]["pools"].items()
    else:
        parse_mapping(text, "the block")


def read_configuration(below: Mapping[str, Any], folder: Path) -> None:
    """dbt's configuration by folders: each is there, and only `+` begins a setting."""
    for name, value in below.items():
        if not name.startswith("+"):
            assert (folder / name).is_dir(), f"no folder {name}"
            read_configuration(value, folder / name)


@cache
def known_vars() -> set[str]:
    """The package's vars: named in dbt_project.yml, or asked for by a model, a macro or a source."""
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]
    readers = [path for folder in ("macros", "models") for path in (ROOT / folder).rglob("*.*")]
    return project.keys() | {
        name for path in readers for name in re.findall(r"\bvar\(['\"](\w+)['\"]", path.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("block", all_blocks("yaml"), ids=str)
def test_yaml_is_read(block: Block) -> None:
    if entry(YAML_OF, block):
        yaml.safe_load(block.text)
    else:
        read_yaml(block.text)


@pytest.mark.parametrize(
    "text",
    [
        "models: {llm_spend: {mart: {+schema: llm}}}",
        "vars: {event_sorce: source}",
        "vars: {llm_spend: {config_models: {budget: b}}}",
        "fields: {modle: m}",
        "a: b",
    ],
)
def test_wrong_yaml_is_found(text: str) -> None:
    with pytest.raises(Exception, match=r"."):
        read_yaml(text)


def read_csv(text: str, title: str) -> None:
    """A configuration file by its columns, or a file by its title; each row has as many values as there are columns."""
    header, *rows = csv.reader(StringIO(text))
    kinds = {
        path.name: set(path.read_text(encoding="utf-8-sig").splitlines()[0].split(","))
        for path in (ROOT / "seeds" / "config").glob("*.csv")
    }
    name = Path(title).name
    fitting = [kind for kind, columns in kinds.items() if set(header) <= columns]
    assert name in fitting or (not title and fitting) or (title and name not in kinds), f"columns of no file: {header}"
    assert {len(row) for row in rows} == {len(header)}, "a row with too few or too many values"


@pytest.mark.parametrize("block", all_blocks("csv"), ids=str)
def test_csv_is_read(block: Block) -> None:
    read_csv(block.text, block.title)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("tenant,month\na,b\n", ""),
        ("tenant_id,month,revenue_usd\nacme,2026-10\n", ""),
        ("tenant_id,month,revenue_usd\nacme,2026-10,1\n", "my_config/budgets.csv"),
    ],
)
def test_wrong_csv_is_found(text: str, title: str) -> None:
    with pytest.raises(AssertionError):
        read_csv(text, title)


@pytest.mark.parametrize("block", all_blocks("python", "json"), ids=str)
def test_python_and_json_parse(block: Block) -> None:
    {"python": ast.parse, "json": json.loads}[block.language](block.text)


# Commands that only read


def printed(command: str, database: Path, patch: pytest.MonkeyPatch) -> str:
    """What `llm-spend` prints, in this process, in a terminal of 100 columns."""
    out = StringIO()
    patch.setattr(cli, "out", Console(file=out, width=100))
    patch.setenv("LLM_SPEND_DUCKDB_PATH", str(database))
    ((_, *words),) = programs(command)
    with redirect_stdout(out):
        typer.main.get_command(cli.app).main(words, standalone_mode=False)
    return out.getvalue()


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        (block, shown)
        for page in pages()
        for block, shown in answers(page)
        if block.language == "sh" and is_of_the_demo(page) and all(map(only_reads, commands(block)))
    ],
    ids=str,
)
def test_a_command_prints_what_is_shown(
    block: Block, shown: Block, demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(printed(command, demo, monkeypatch) for command in commands(block))
    assert shows(shown.text, text), f"{block} prints\n{text}"


@pytest.mark.parametrize(
    ("shown", "holds"),
    [
        ("a  1\n…\nc  3\n", True),
        ("…\nb  2\n", True),
        ("a  1\nc  3\n", False),
        ("c  3\n…\na  1\n", False),
        ("b  2 \n", True),
        ("b  3\n", False),
    ],
)
def test_what_is_shown_is_what_was_printed(shown: str, holds: bool) -> None:
    assert shows(shown, "a  1\n\nb  2\nc  3\n") == holds


def test_a_table_is_aligned() -> None:
    assert table(["name", "n"], [("a", 10), (None, 9)]) == "name   n\na     10\n       9\n"


def test_blocks_of_every_form() -> None:
    page = '- item\n\n  ```csv title="my_config/budgets.csv"\n  a,b\n  ```\n\n~~~\nbare\n~~~\n\n    code\n'
    found = [(block.language, block.title, block.text) for block in blocks_of("a.md", page)]
    assert found == [("csv", "my_config/budgets.csv", "a,b\n"), ("", "", "bare\n"), ("", "", "code\n")]


# Whole pages


def pages_to_run() -> list[str]:
    return [
        page
        for page in pages()
        if any(not not_run(command) for block in blocks(page) if block.language == "sh" for command in commands(block))
    ]


def prepare(page: str, folder: Path, demo: Path) -> Preparation:
    """A checkout without results, and the files that the page takes for granted or shows."""
    for path in ROOT.iterdir():
        if path.name not in (".git", ".venv", "target", "logs"):
            (folder / path.name).symlink_to(path)
    (folder / ".venv").symlink_to(sys.prefix)
    preparation = PREPARATIONS.get(page, Preparation())
    for name in preparation.demo:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(demo, folder / name)
    if preparation.demo_log:
        write(folder / preparation.demo_log, demo_log())
    for name, source in preparation.copies.items():
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, folder / name)
        else:
            write(folder / name, (ROOT / source).read_text(encoding="utf-8"))
    for name, text in preparation.texts.items():
        write(folder / name, text)
    for block in blocks(page):
        if block.title:
            write(folder / block.title, block.text)
    return preparation


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())


def demo_log() -> str:
    """The demo's accepted calls as a log of one's own would have them."""
    fields = {column.name for column in EVENT_COLUMNS}
    with (ROOT / "seeds" / "demo" / "raw_demo_usage_events.csv").open(encoding="utf-8", newline="") as file:
        events = [{name: row[name] for name in row if name in fields and row[name]} for row in csv.DictReader(file)]
    return "".join(f"{json.dumps(event)}\n" for event in events)


def script(page: str) -> tuple[str, dict[Block, list[str]]]:
    """One shell script of a page's commands, and the files that each block's commands print into."""
    lines, files = [PRELUDE], {}
    for block in blocks(page):
        if block.language == "sh":
            run = [command for command in commands(block) if not not_run(command)]
            files[block] = [f"printed/{block.line}-{number}.txt" for number, _ in enumerate(run)]
            lines += [f"{{ {text}\n}} > {file} 2>&1" for text, file in zip(run, files[block], strict=True)]
    return "\n".join(lines), files


PRELUDE = """set -euo pipefail
trap 'echo "$BASH_COMMAND" >&2' ERR
make() { command make --assume-old=.venv/installed "$@"; }"""
"""The environment of the tests is as it is: nothing is installed into it."""


def environment(folder: Path, artifacts: Path) -> dict[str, str]:
    """A terminal of 100 columns in which every result, note and setting lands below the folder."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LLM_SPEND_", "DBT_"))},
        **MODELS_ONLY,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        "DAGSTER_HOME": str(folder / "dagster"),
        "DBT_TARGET_PATH": str(artifacts),
        "LLM_SPEND_DUCKDB_PATH": str(folder / "target" / "llm_spend.duckdb"),
        "COLUMNS": "100",
        "NO_COLOR": "1",
    }


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_to_run())
def test_a_page_runs_from_top_to_bottom(
    page: str, tmp_path: Path, demo: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    preparation = prepare(page, tmp_path, demo)
    for name in ("home", "dagster", "printed", "target"):
        (tmp_path / name).mkdir(exist_ok=True)
    text, files = script(page)
    keys = {"openai": "...", "anthropic": "..."}  # as docs/bills.md writes them
    apis = ProviderApis(Books.of(7, date(2026, 1, 1), 20), keys=keys)
    with provider_apis(apis) if preparation.bills else nullcontext():
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=tmp_path,
            env=environment(tmp_path, tmp_path_factory.getbasetemp() / "documented")
            | (apis.environment if preparation.bills else {}),
            capture_output=True,
            text=True,
            check=False,
        )
    outputs = {block: [tmp_path / name for name in names] for block, names in files.items()}
    assert done.returncode == 0, f"{page}: {done.stderr}\n{last_output(outputs.values())}"
    for block, shown in answers(page):
        if block.language == "sh" and outputs[block] and not entry(TEXT_OF, shown):
            answer = "".join(path.read_text(encoding="utf-8") for path in outputs[block])
            assert shows(shown.text, answer), f"{block} prints\n{answer}"


def last_output(files: Iterable[Iterable[Path]]) -> str:
    written = [path for paths in files for path in paths if path.exists()]
    return written[-1].read_text(encoding="utf-8") if written else ""
