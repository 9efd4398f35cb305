"""What a failed test of a seed says to the person who wrote the CSV file: file, line, rule."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

MOST_SHOWN = 10

Row = Mapping[str, str | None]
"""Column → text; None and the empty text are the same."""


@dataclass(frozen=True)
class SeedRule:
    """A failed data test of a seed: its rule in words, and the query whose rows break it.

    The query answers with columns of the seed. All of them are one bad row; some of them stand for the rows that have
    these values, and do not fit together. It may add `fault_column`, whose value is wrong, `fault`, what is wrong, and
    `other_<column>` for the columns of a second row.
    """

    seed: str
    sql: str
    text: str


@dataclass(frozen=True)
class Fault:
    """One breach of a rule. `lines` are at most two lines of the file as a person reads it, from 1."""

    file: Path
    lines: tuple[int, ...]
    text: str
    is_of_one_row: bool

    def __str__(self) -> str:
        where = " and ".join(f"line {line:,}" for line in self.lines)
        return f"{self.file}, {where}: {self.text}" if where else f"{self.file}: {self.text}"


class SeedFile:
    """A CSV file and the lines of its rows. `shown_as` is the name a person knows it by."""

    def __init__(self, path: Path, shown_as: Path) -> None:
        self.path, self.shown_as = path, shown_as
        self._lines: dict[tuple[str, ...], dict[tuple[str, ...], list[int]]] = {}

    @cached_property
    def rows(self) -> list[tuple[int, Row]]:
        """Each row with the line on which it starts."""
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            rows, line = [], reader.line_num + 1
            for values in reader:
                if values:
                    rows.append((line, dict(zip(header, values, strict=False))))
                line = reader.line_num + 1
            return rows

    def lines_of(self, row: Row) -> list[int]:
        """The lines of all rows with these values, in any case; none where there is no such row."""
        columns = tuple(sorted(row))
        if columns not in self._lines:
            index = defaultdict(list)
            for line, values in self.rows:
                index[_normalised(values, columns)].append(line)
            self._lines[columns] = index
        return self._lines[columns].get(_normalised(row, columns), [])


def find_faults(
    connection: duckdb.DuckDBPyConnection, rules: Iterable[SeedRule], files: Mapping[str, SeedFile]
) -> list[Fault]:
    """Every fault, by file and line. Rows that do not fit together count only in a file whose rows are each right."""
    faults = [fault for rule in rules for fault in _faults(connection, rule, files[rule.seed])]
    broken = {fault.file for fault in faults if fault.is_of_one_row}
    first = [fault for fault in faults if fault.is_of_one_row or fault.file not in broken]
    return sorted(dict.fromkeys(first), key=lambda fault: (fault.file, fault.lines, fault.text))


def shown(faults: Sequence[Fault]) -> list[str]:
    """The first faults as lines of text, and how many there are beside them."""
    lines = [str(fault) for fault in faults[:MOST_SHOWN]]
    if len(faults) > MOST_SHOWN:
        lines.append(f"and {len(faults) - MOST_SHOWN:,} more")
    return lines


def _faults(connection: duckdb.DuckDBPyConnection, rule: SeedRule, file: SeedFile) -> Iterator[Fault]:
    cursor = connection.execute(rule.sql)
    names = [column[0] for column in cursor.description]
    columns = {name for _, row in file.rows[:1] for name in row}
    for values in cursor.fetchall():
        result = dict(zip(names, values, strict=True))
        row = {name: result[name] for name in names if name in columns}
        other = {name: result[f"other_{name}"] for name in columns if f"other_{name}" in result}
        lines = file.lines_of(row)
        beside = [line for line in (file.lines_of(other) if other else lines) if line not in lines[:1]]
        is_of_one_row = row.keys() == columns and not other
        yield Fault(file.shown_as, tuple(sorted(lines[:1] + beside[:1])), _text(rule, result), is_of_one_row)


def _text(rule: SeedRule, result: Row) -> str:
    column, fault = result.get("fault_column"), result.get("fault")
    about = f"{rule.text} ({fault})" if fault else rule.text
    if not column:
        return about
    return f"{column} {result[column]!r}: {about}" if result[column] else f"{column} is blank: {about}"


def _normalised(row: Row, columns: Iterable[str]) -> tuple[str, ...]:
    return tuple((row.get(column) or "").strip().casefold() for column in columns)
