"""Any provider's bill from a CSV file, in our column names or in those of FinOps FOCUS; one bad row and none lands."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb

from llm_spend.bills.providers import ANTHROPIC, OPENAI
from llm_spend.bills.tables import BILL_LINES, Row
from llm_spend.bills.warehouse import Changes, Warehouse
from llm_spend.errors import UserError
from llm_spend.ingest.content import read_content
from llm_spend.ingest.readers import FileRows, file_format, open_rows
from llm_spend.ingest.sql import first_line

_FOCUS = {
    "usage_date": "ChargePeriodStart",
    "project_id": "SubAccountId",
    "api_key_id": "ResourceId",
    "model": "SkuId",
    "charge_type": "ChargeCategory",
    "usage_type": "SkuMeter",
    "quantity": "ConsumedQuantity",
    "unit": "ConsumedUnit",
    "amount": "BilledCost",
    "currency": "BillingCurrency",
    "description": "ChargeDescription",
}
"""What FOCUS calls our columns."""

_CHARGE_TYPES = {
    "usage": "usage",
    "fixed": "fixed",
    "adjustment": "adjustment",
    # FOCUS: what is bought ahead or by the month, and what is given back or added.
    "purchase": "fixed",
    "credit": "fixed",
    "tax": "fixed",
}
_DEFAULTS = {"charge_type": "usage", "currency": "USD"}
_NEEDED = ("usage_date", "amount")
_ROWS_AT_ONCE = 10_000
_PROVIDER_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


@dataclass(frozen=True)
class BillReport:
    """What became of a file; `unused_columns` have no place here."""

    path: Path
    days: Sequence[date]
    changes: Changes
    unused_columns: tuple[str, ...]


def check_provider(name: str) -> str:
    """The name under which a bill is kept; UserError where it cannot be one."""
    if name in (OPENAI.name, ANTHROPIC.name):
        raise UserError(
            f"--provider {name}: its bill comes from its API (llm-spend ingest {name}), and would count twice with a"
            " file; another bill needs another name, such as azure"
        )
    if not _PROVIDER_NAME.fullmatch(name):
        raise UserError(f"--provider {name}: use lower-case letters, digits, '-', '_' and '.', such as azure")
    return name


def load_bill(path: Path, provider: str, warehouse: Warehouse, now: datetime) -> BillReport:
    """Put a file in the place of all that is here of its days and its provider. `now` is aware."""
    days: set[date] = set()
    with duckdb.connect() as connection:
        file = _opened(connection, path)
        columns = _places(path, file.columns)
        warehouse.replace({BILL_LINES: _rows(connection, path, file, columns, provider, days)})
    covered = sorted(days)
    warehouse.mark_fetched(provider, ("costs",), covered, now)
    unused = tuple(name for name in file.columns if name not in columns.values())
    return BillReport(path, covered, warehouse.changes(BILL_LINES), unused)


def _opened(connection: duckdb.DuckDBPyConnection, path: Path) -> FileRows:
    if not path.is_file():
        raise UserError(f"{path}: no such file; check the path")
    if file_format(path) not in (".csv", ".tsv"):
        raise UserError(f"{path}: a bill is read from .csv or .tsv, also packed as .gz or .zst")
    read_content(path)
    try:
        return open_rows(connection, path)
    except duckdb.Error as error:
        raise UserError(f"{path}: cannot be read ({first_line(error)}); is it what its name says?") from None


def _places(path: Path, header: Sequence[str]) -> dict[str, str]:
    """The file's name of each of our columns that it has."""
    names = {name.casefold(): name for name in reversed(header)}
    places = {}
    for ours, focus in _FOCUS.items():
        if found := names.get(ours) or names.get(focus.casefold()):
            places[ours] = found
        elif ours in _NEEDED:
            raise UserError(
                f"{path}: the header has no {ours} (in FOCUS {focus}); it names {', '.join(header) or 'nothing'}"
            )
    return places


def _rows(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    file: FileRows,
    columns: Mapping[str, str],
    provider: str,
    days: set[date],
) -> Iterator[list[Row]]:
    found = connection.execute(
        f"select line, problem, fields from ({file.select(list(columns.values()))}) order by line"
    )
    while lines := found.fetchmany(_ROWS_AT_ONCE):
        batch = [_row(path, line, problem, fields, columns, provider) for line, problem, fields in lines]
        days.update(row["usage_date"] for row in batch)
        yield batch
    if not days:
        raise UserError(f"{path}: holds no row below its header")
    yield [BILL_LINES.announced(provider=provider, usage_date=day) for day in sorted(days)]


def _row(
    path: Path, line: int, problem: str | None, fields: Sequence[str | None], columns: Mapping[str, str], provider: str
) -> Row:
    if problem:
        raise UserError(f"{path}:{line}: {problem}; nothing of the file was loaded")
    said: dict[str, object] = {**_DEFAULTS, "provider": provider}
    said.update({ours: text.strip() for ours, text in zip(columns, fields, strict=True) if text and text.strip()})
    charge_type = str(said["charge_type"])
    said["charge_type"] = _CHARGE_TYPES.get(charge_type.lower())
    if not said["charge_type"]:
        named = columns["charge_type"]
        raise UserError(
            f"{path}:{line}: {named} {charge_type!r} is not {', '.join(_CHARGE_TYPES)}; nothing of the file was loaded"
        )
    row: Row = {}
    for ours in BILL_LINES.kinds:
        try:
            row[ours] = BILL_LINES.value(ours, said.get(ours))
        except ValueError as error:
            where = columns.get(ours, ours)
            what = str(error).removeprefix(ours).strip()
            raise UserError(f"{path}:{line}: {where} {what}; nothing of the file was loaded") from None
    return row
