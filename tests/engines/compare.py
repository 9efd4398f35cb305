"""Every mart of an engine against golden files, or against those of another engine."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from servers import Engine

ROOT = Path(__file__).resolve().parents[2]
NULL = r"\N"

WHEN_WRITTEN = {"day_version", "run_id"}
"""Columns that say how a row came to be: they differ from run to run."""

IN_GOLDEN_FILES = {
    # The calendar is long, and the price book changes with each refresh of the prices.
    "dim_dates": "date_day >= cast('2024-02-01' as date) and date_day < cast('2027-03-01' as date)",
    "dim_model_prices": "attempts > 0",
    # So do their number and date, and releases change with every release.
    "package_settings": "setting not in ('prices', 'prices_verified_on', 'package_version', 'dbt_version')",
}
"""What golden files hold of marts that are not worth holding whole."""

Key = tuple[str, ...]


@dataclass(frozen=True)
class Mart:
    """Rows, sorted, each as what must be equal to the last digit (texts) and what may differ in the tenth (floats)."""

    exact_columns: Key
    float_columns: Key
    rows: list[tuple[Key, tuple[float | None, ...]]]


def mart_names(group: str = "") -> list[str]:
    return sorted(path.stem for path in (ROOT / "models" / "marts" / group).rglob("*.sql"))


def read_mart(engine: Engine, name: str, *, whole: bool = False) -> Mart:
    where = "" if whole else f" where {IN_GOLDEN_FILES.get(name, '1 = 1')}"
    columns, rows = engine.query(f"select * from marts.{name}{where}")
    columns = [column.lower() for column in columns]
    floats = {
        place
        for place, column in enumerate(columns)
        if column not in WHEN_WRITTEN and any(isinstance(row[place], float) for row in rows)
    }
    return _mart(columns, floats, rows)


def write_golden(mart: Mart, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*mart.exact_columns, *(f"~{column}" for column in mart.float_columns)])
        writer.writerows(
            [*exact, *(NULL if value is None else repr(value) for value in floats)] for exact, floats in mart.rows
        )


def read_golden(path: Path) -> Mart:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    exact = tuple(column for column in header if column[0] != "~")
    floats = tuple(column[1:] for column in header if column[0] == "~")
    return Mart(
        exact,
        floats,
        [
            (tuple(row[: len(exact)]), tuple(None if value == NULL else float(value) for value in row[len(exact) :]))
            for row in rows
        ],
    )


def differences(expected: Mart, found: Mart) -> list[str]:
    """What differs, in lines for a person; empty where nothing does."""
    columns = (*expected.exact_columns, *expected.float_columns)
    floats = {*expected.float_columns, *found.float_columns}
    ours, theirs = _arranged(expected, columns, floats), _arranged(found, columns, floats)
    if ours.exact_columns != theirs.exact_columns or ours.float_columns != theirs.float_columns:
        return [
            f"columns {ours.exact_columns + ours.float_columns}, found {theirs.exact_columns + theirs.float_columns}"
        ]
    if len(ours.rows) != len(theirs.rows):
        missing, extra = _only(ours, theirs), _only(theirs, ours)
        return [f"{len(ours.rows)} rows, found {len(theirs.rows)}", *missing[:2], "found instead:", *extra[:2]]
    lines = []
    for (exact, numbers), (found_exact, found_numbers) in zip(ours.rows, theirs.rows, strict=True):
        if exact != found_exact:
            cells = zip(ours.exact_columns, exact, found_exact, strict=True)
            different = ", ".join(f"{name}: {one!r} found {other!r}" for name, one, other in cells if one != other)
            lines.append(f"{exact[:4]}: {different}")
        for name, one, other in zip(ours.float_columns, numbers, found_numbers, strict=True):
            if not _close(one, other):
                lines.append(f"{exact[:4]}: {name}: {one!r} found {other!r}")
    return lines


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))


def _only(ours: Mart, theirs: Mart) -> list[str]:
    have = {exact for exact, _ in theirs.rows}
    return [str(exact) for exact, _ in ours.rows if exact not in have]


def _arranged(mart: Mart, columns: Key, floats: set[str]) -> Mart:
    """The same with its columns in this order, and as floats also those that have no value at all here.

    An engine may keep the column of its partitions last.
    """
    own_columns = (*mart.exact_columns, *mart.float_columns)
    if set(own_columns) != set(columns) or (own_columns == columns and floats == set(mart.float_columns)):
        return mart
    places = [own_columns.index(column) for column in columns]
    rows = [(*(None if value == NULL else value for value in exact), *numbers) for exact, numbers in mart.rows]
    return _mart(
        columns,
        {place for place, column in enumerate(columns) if column in floats},
        [[row[place] for place in places] for row in rows],
    )


def _mart(columns: Iterable[str], floats: set[int], rows: Iterable[Sequence[object]]) -> Mart:
    columns = list(columns)
    exact = [place for place, name in enumerate(columns) if place not in floats and name not in WHEN_WRITTEN]
    approximate = sorted(floats, key=lambda place: columns[place])
    as_rows = [
        (tuple(_text(row[place]) for place in exact), tuple(_number(row[place]) for place in approximate))
        for row in rows
    ]
    as_rows.sort(key=lambda row: (row[0], [(value is not None, value or 0.0) for value in row[1]]))
    return Mart(tuple(columns[place] for place in exact), tuple(columns[place] for place in approximate), as_rows)


def _number(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type]


def _text(value: object) -> str:
    """One spelling of a value, whatever the engine's client makes of it."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
