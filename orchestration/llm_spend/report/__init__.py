"""The marts as one HTML page that asks nobody for anything: data, charts and scripts are in it."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.paths import short
from llm_spend.replacing import replacing
from llm_spend.writing import is_unfinished

INSTALL = "pip install 'llm-spend[report]'"


@dataclass(frozen=True)
class Report:
    """`size` in bytes."""

    path: Path
    size: int


def report_path(database: Path) -> Path:
    """`llm_spend.report.html` beside `llm_spend.duckdb`."""
    return database.with_name(f"{database.stem}.report.html")


def write_report(database: Path, to: Path | None = None) -> Report:
    """Write the page in the place of the last one, all at once, readable by its owner only: it names customers.

    UserError where there are no finished marts, or where the page cannot be written.
    """
    try:
        from llm_spend.report.data import read
        from llm_spend.report.page import page
    except ModuleNotFoundError as error:
        raise UserError(f"the report needs {error.name}: {INSTALL}") from error
    if not database.exists():
        raise UserError(f"{database} does not exist: make it with llm-spend build --events")
    with connect(database, read_only=True) as connection:
        if is_unfinished(connection):
            raise UserError(f"the last build of {short(database)} did not end well: build again first", exit_code=1)
        try:
            text = page(read(connection))
        except duckdb.CatalogException as error:
            missing = str(error).partition("!")[0].splitlines()[0]
            raise UserError(f"{database} lacks marts of this release: run llm-spend build first ({missing})") from error
    target = (to or report_path(database)).expanduser().absolute()
    try:
        with replacing(target, target.name) as draft:
            draft.touch(mode=0o600)
            draft.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}; name another file with --to") from error
    return Report(target, target.stat().st_size)
