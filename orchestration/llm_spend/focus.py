"""FinOps FOCUS files of one month: the rows of the marts under the column names of the specification.

Every value is a mart's. In CSV a decimal has all its digits and a moment is `2026-10-01T00:00:00Z`; the file is for
machines, so a text that a spreadsheet would take for a formula stands as it is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.paths import short
from llm_spend.writing import is_unfinished

MARTS = ("focus_cost_and_usage", "focus_price_corrections")
KEY_OF_DAYS = "usage_date_utc"
"""The marts' own: ChargePeriodStart says the same."""

_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class FocusExport:
    csv: Path
    parquet: Path
    rows: int


def focus_name(column: str) -> str:
    """`charge_period_start` → `ChargePeriodStart`; a custom column keeps its prefix: `x_team` → `x_Team`."""
    prefix = "x_" if column.startswith("x_") else ""
    return prefix + "".join(word.capitalize() for word in column.removeprefix(prefix).split("_"))


def export(database: Path, month: str | None, folder: Path) -> FocusExport:
    """Write `focus_<month>.csv` and `.parquet` of a UTC billing month, `YYYY-MM`, each in the place of an earlier one.

    Raises UserError when the database has no finished FOCUS marts, when nothing is billed in the month, or when the
    folder cannot be written.
    """
    if month is not None and not _MONTH.fullmatch(month):
        raise UserError(f"--month {month}: not a month, such as 2026-10")
    with _marts(database) as connection:
        months = [name for (name,) in connection.execute(_months()).fetchall()]
        known = f"there are {', '.join(months)}" if months else "there are no charges at all"
        if month is None:
            raise UserError(f"--month is missing: {known}")
        if month not in months:
            raise UserError(f"--month {month}: no charges were billed in it; {known}")
        types = _types(connection)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            stem = folder / f"focus_{month}"
            csv = _write(connection, _rows(types, month, True), Path(f"{stem}.csv"), "format csv, header")
            parquet = _write(connection, _rows(types, month, False), Path(f"{stem}.parquet"), "format parquet")
        except (OSError, duckdb.IOException) as error:
            raise UserError(f"--out {folder}: cannot be written ({' '.join(str(error).split())})") from error
        ((rows,),) = connection.execute(f"select count(*) from ({_rows(types, month, False)})").fetchall()
    return FocusExport(csv, parquet, rows)


@contextmanager
def _marts(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a database that has been built to its end."""
    unbuilt = UserError(f"{database} holds no FOCUS rows yet: run llm-spend demo or llm-spend build first")
    if not database.exists():
        raise unbuilt
    with connect(database, read_only=True) as connection:
        if is_unfinished(connection):
            raise UserError(f"the last build of {short(database)} did not end well: build again first", exit_code=1)
        for mart in MARTS:
            try:
                connection.execute(f"select 1 from marts.{mart} limit 0")
            except duckdb.CatalogException:
                raise unbuilt from None
        yield connection


def _months() -> str:
    return " union ".join(f"select strftime(billing_period_start, '%Y-%m') from marts.{mart}" for mart in MARTS) + (
        " order by 1"
    )


def _types(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Mart column → its type, without the key of days."""
    described = connection.execute(f"describe marts.{MARTS[0]}").fetchall()
    return {name: kind for name, kind, *_ in described if name != KEY_OF_DAYS}


def _rows(types: Mapping[str, str], month: str, as_text: bool) -> str:
    """The query of a month: the columns of the specification by their names, then the custom ones."""
    columns = {focus_name(name): _value(name, kind, as_text) for name, kind in types.items()}
    named = sorted(columns.items(), key=lambda column: (column[0].startswith("x_"), column[0]))
    selected = ", ".join(f'{value} as "{name}"' for name, value in named)
    union = " union all ".join(f"select * from marts.{mart}" for mart in MARTS)
    order = ", ".join(str(place + 1) for place in _order([name for name, _ in named]))
    return f"""
        select {selected} from ({union})
        where strftime(billing_period_start, '%Y-%m') = '{month}' order by {order}
    """


def _order(names: Sequence[str]) -> list[int]:
    """By day first, then by everything: the same rows make the same file."""
    first = names.index("ChargePeriodStart")
    return [first, *(place for place in range(len(names)) if place != first)]


def _value(name: str, kind: str, as_text: bool) -> str:
    if kind != "TIMESTAMP":
        return name
    return f"strftime({name}, '%Y-%m-%dT%H:%M:%SZ')" if as_text else f"{name} at time zone 'UTC'"


def _write(connection: duckdb.DuckDBPyConnection, rows: str, path: Path, options: str) -> Path:
    """All or nothing: the file takes its place when it is whole."""
    draft = path.with_name(f".{path.name}.part")
    quoted = str(draft).replace("'", "''")
    try:
        connection.execute(f"copy ({rows}) to '{quoted}' ({options})")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path
