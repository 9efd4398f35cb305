"""Files as SQL: each reader says which columns a file has and gives a select with one row per logged row.

That select has the columns `line` (bigint, 1-based), `raw` (the row's own text), `problem` (why its structure is broken,
or null) and `fields` (varchar[], one text per asked column; nested values as JSON text). Python never holds a row.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from llm_spend.errors import UserError
from llm_spend.ingest.database import first_line, identifier, literal

TEXT_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")
COMPRESSIONS = (".gz", ".zst")

BLANKS = "' ' || chr(9) || chr(10) || chr(13)"
NOT_BLANK = f"trim(raw, {BLANKS}) <> ''"

SAMPLE_ROWS = 10_000
"""Rows that tell which columns a JSON file has; all rows are read when a needed column is not among them."""

MAX_LINE_BYTES = 16_000_000
"""A longer line is rejected. Two of them must fit DuckDB's read buffer."""

MAX_RECORD_LINES = 1_000
"""A quoted CSV value over more lines is a quote that somebody forgot to close."""


class FileRows(Protocol):
    """One file, readable as SQL."""

    def columns(self, sample: bool) -> list[str]:
        """Names of the top-level columns; with `sample`, those of the first rows may be enough."""

    def select(self, names: Sequence[str]) -> str:
        """The select described in the module docstring; a name that the file lacks gives nulls."""


def file_format(path: Path) -> str:
    """The suffix that decides how a file is read, such as `.jsonl` for `events.jsonl.gz`. UserError when unknown."""
    name = path.with_suffix("") if path.suffix.lower() in COMPRESSIONS else path
    suffix = name.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"{path}: unknown extension {suffix or '(none)'}; name files {', '.join(SUFFIXES)}, "
            f"text also compressed as {' or '.join(COMPRESSIONS)}"
        )
    return suffix


def open_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> FileRows:
    """The reader for a file. Temporary tables it needs replace those of the file before."""
    suffix = file_format(path)
    if suffix == ".parquet":
        return ParquetRows(connection, path)
    if suffix == ".json" and _starts_with_bracket(connection, path):
        return JsonRows(connection, _array_items(path))
    lines = _Lines.scan(connection, path)
    if suffix in (".csv", ".tsv"):
        return _csv_rows(connection, lines, delimiter="\t" if suffix == ".tsv" else None)
    return JsonRows(connection, lines.select())


@dataclass(frozen=True)
class _Lines:
    """The physical lines of a text file. Lines that are not text are in the temporary table `unreadable_lines`."""

    path: Path
    has_unreadable: bool

    @classmethod
    def scan(cls, connection: duckdb.DuckDBPyConnection, path: Path) -> "_Lines":
        connection.execute("drop table if exists reject_errors")
        connection.execute("drop table if exists reject_scans")
        connection.execute(f"select count(line) from {_read_lines(path, on_error='store_rejects')}").fetchall()
        connection.execute(
            """
            create or replace temp table unreadable_lines as
            select
                cast(line as bigint) as line,
                cast(line - row_number() over (order by line) as bigint) as readable_before,
                csv_line as raw,
                case error_type
                    when 'INVALID ENCODING' then 'not valid UTF-8'
                    else 'longer than a line may be (16 MB)'
                end as problem
            from reject_errors
            """
        )
        counted = connection.execute("select count(*) from unreadable_lines").fetchone()
        return cls(path, has_unreadable=bool(counted and counted[0]))

    def select(self) -> str:
        """line, raw, problem of each line."""
        numbered = (
            f"select row_number() over () as line, coalesce(line, '') as raw from {_read_lines(self.path)}"
        )
        if not self.has_unreadable:
            return f"select line, raw, null as problem from ({numbered})"
        return f"""
            select n.line + coalesce(u.skipped, 0) as line, n.raw, null as problem
            from ({numbered}) as n
            asof left join (
                select readable_before, row_number() over (order by line) as skipped from unreadable_lines
            ) as u on n.line > u.readable_before
            union all
            select line, raw, problem from unreadable_lines
        """


@dataclass(frozen=True)
class JsonRows:
    """JSON objects, one per row of `lines` (a select of line, raw, problem)."""

    connection: duckdb.DuckDBPyConnection
    lines: str

    def columns(self, sample: bool) -> list[str]:
        limit = f"limit {SAMPLE_ROWS}" if sample else ""
        keys = self.connection.execute(
            f"""
            select distinct json_keys(raw) from (
                select raw from ({self._judged()}) where problem is null {limit}
            )
            """
        ).fetchall()
        return list(dict.fromkeys(name for (names,) in keys for name in names))

    def select(self, names: Sequence[str]) -> str:
        pointers = ", ".join(literal(json_pointer([name])) for name in names)
        return f"""
            select line, raw, problem, case when problem is null then json_extract_string(raw, [{pointers}]) end as fields
            from ({self._judged()})
        """

    def _judged(self) -> str:
        return f"""
            select line, raw, case
                when problem is not null then problem
                when not json_valid(raw) then 'not valid JSON'
                when json_type(raw) <> 'OBJECT' then 'not a JSON object'
            end as problem
            from ({self.lines})
            where {NOT_BLANK}
        """


@dataclass(frozen=True)
class CsvRows:
    """Rows of delimited text below a header. Quotes follow RFC 4180; a value may span lines."""

    connection: duckdb.DuckDBPyConnection
    lines: str
    delimiter: str
    header: tuple[str, ...]

    def columns(self, sample: bool) -> list[str]:
        return list(self.header)

    def select(self, names: Sequence[str]) -> str:
        cells = ", ".join(
            _unquoted(f"cells[{self.header.index(name) + 1}]") if name in self.header else "null"
            for name in names
        )
        return f"""
            select line, raw, problem, cast([{cells}] as varchar[]) as fields
            from ({self.judged(self.lines)}) where {NOT_BLANK}
        """

    def judged(self, records: str) -> str:
        """SQL: the records with `cells`, their values as they stand, quotes included, and why a record is broken."""
        delimiter = literal(self.delimiter)
        cell = literal(f"{self._delimiter_pattern}({self._cell_pattern})")
        record = literal(f"(?:{self._cell_pattern})(?:{self._delimiter_pattern}(?:{self._cell_pattern}))*")
        split = f"""
            select *, case
                when contains(raw, '"') then regexp_extract_all({delimiter} || raw, {cell}, 1)
                else string_split(raw, {delimiter})
            end as cells
            from ({records})
        """
        return f"""
            select * replace (case
                when problem is not null then problem
                when contains(raw, '"') and not regexp_full_match(raw, {record})
                    then 'a quote is opened and not closed, or text follows it'
                when len(cells) <> {len(self.header)}
                    then 'has ' || len(cells) || ' values where the header names {len(self.header)}'
            end as problem)
            from ({split})
        """

    @property
    def _delimiter_pattern(self) -> str:
        return "\\t" if self.delimiter == "\t" else self.delimiter

    @property
    def _cell_pattern(self) -> str:
        d = self._delimiter_pattern
        return f'"(?:[^"]|"")*"|[^"{d}][^{d}]*|'


@dataclass(frozen=True)
class ParquetRows:
    """Rows of a Parquet file, numbered from 1; their text is the row as JSON."""

    connection: duckdb.DuckDBPyConnection
    path: Path

    def columns(self, sample: bool) -> list[str]:
        return list(self._types())

    def select(self, names: Sequence[str]) -> str:
        types = self._types()
        fields = ", ".join(_parquet_text(name, types[name]) if name in types else "null" for name in names)
        row = ", ".join(f"{identifier(name)} := {identifier(name)}" for name in types)
        return f"""
            select
                file_row_number + 1 as line,
                cast(to_json(struct_pack({row})) as varchar) as raw,
                null as problem,
                cast([{fields}] as varchar[]) as fields
            from read_parquet({file_literal(self.path)}, file_row_number = true)
        """

    def _types(self) -> dict[str, str]:
        described = self.connection.execute(f"describe select * from read_parquet({file_literal(self.path)})")
        return {name: kind for name, kind, *_ in described.fetchall()}


def _parquet_text(name: str, kind: str) -> str:
    nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
    value = f"to_json({identifier(name)})" if nested else identifier(name)
    return f"cast({value} as varchar)"


def _csv_rows(connection: duckdb.DuckDBPyConnection, lines: _Lines, delimiter: str | None) -> CsvRows:
    first = connection.execute(
        f"select line, raw from ({lines.select()}) where {NOT_BLANK} limit 1"
    ).fetchone()
    header_line, header_text = first or (0, "")
    if delimiter is None:
        delimiter = ";" if ";" in header_text and "," not in header_text else ","
    header = tuple(name.strip() for name in next(csv.reader([header_text], delimiter=delimiter), []))
    repeated = next((name for name in header if header.count(name) > 1), None)
    if repeated is not None:
        raise UserError(
            f"{lines.path}:{header_line}: the header names {repeated!r} twice; rename one of them"
        )
    rows = f"select line, raw, problem from ({lines.select()}) where line > {header_line}"
    reader = CsvRows(connection, rows, delimiter, header)
    return CsvRows(connection, _with_spans(connection, reader), delimiter, header)


def _with_spans(connection: duckdb.DuckDBPyConnection, reader: CsvRows) -> str:
    """The reader's lines, those of a quoted value over several lines joined into one.

    Where an odd number of quotes has gone before, a line continues a record. A record so joined counts only if it has the
    header's number of values: otherwise one forgotten quote would swallow the rest of the file.
    """
    odd = "(length(raw) - length(replace(raw, '\"', ''))) % 2"
    has_odd = connection.execute(f"select 1 from ({reader.lines}) where {odd} = 1 limit 1").fetchone()
    if not has_odd:
        return reader.lines
    connection.execute(
        f"""
        create or replace temp table spans as
        with counted as (
            select line, raw, problem, {odd} as odd, sum({odd}) over (order by line) as quotes from ({reader.lines})
        ),
        marked as (
            select line, raw, problem, (quotes - odd) % 2 = 0 as is_first,
                max(case when (quotes - odd) % 2 = 0 then line end) over (order by line) as first_line
            from counted where odd = 1 or quotes % 2 = 1
        ),
        short as (
            select first_line from marked group by first_line having count(*) between 2 and {MAX_RECORD_LINES}
        ),
        joined as (
            select first_line, string_agg(raw, chr(10) order by line) as raw, max(problem) as problem
            from marked where first_line in (select first_line from short) group by first_line
        ),
        sound as (
            select first_line, raw from ({reader.judged("joined")}) where problem is null
        )
        select marked.line, case when marked.is_first then sound.raw end as raw
        from marked inner join sound on marked.first_line = sound.first_line
        """
    )
    return f"""
        select lines.line, coalesce(spans.raw, lines.raw) as raw, lines.problem
        from ({reader.lines}) as lines
        left join spans on lines.line = spans.line
        where spans.line is null or spans.raw is not null
    """


def _unquoted(cell: str) -> str:
    inner = f"replace(substr({cell}, 2, length({cell}) - 2), '\"\"', '\"')"
    return f"case when starts_with({cell}, '\"') then {inner} else {cell} end"


def _starts_with_bracket(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    first = connection.execute(
        f"select ltrim(line, {BLANKS}) from {_read_lines(path)} where trim(line, {BLANKS}) <> '' limit 1"
    ).fetchone()
    return bool(first and first[0].startswith("["))


def _array_items(path: Path) -> str:
    return f"""
        select row_number() over () as line, cast(json as varchar) as raw, null as problem
        from read_json_objects({file_literal(path)}, format = 'array')
    """


def _read_lines(path: Path, on_error: str = "ignore_errors") -> str:
    return f"""read_csv({file_literal(path)}, columns = {{'line': 'varchar'}}, auto_detect = false, header = false,
        delim = '', quote = '', escape = '', comment = '', strict_mode = false, {on_error} = true,
        max_line_size = {MAX_LINE_BYTES}, buffer_size = {2 * MAX_LINE_BYTES})"""


def file_literal(path: Path) -> str:
    """A path as SQL, its glob characters taken literally."""
    return literal("".join(f"[{c}]" if c in "*?[" else c for c in str(path)))


def json_pointer(keys: Sequence[str]) -> str:
    """RFC 6901: ["usage", "a/b"] → `/usage/a~1b`."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def reading_error(path: Path, error: duckdb.Error) -> UserError:
    """What to tell the person when DuckDB cannot read a file."""
    return UserError(
        f"{path}: cannot be read ({first_line(error)}); check that it is what its extension says"
    )
