"""Files as SQL: each reader knows a file's columns and gives a select with one row per logged row.

That select has the columns `line` (bigint, from 1), `raw` (the row's own text), `problem` (why its structure
is broken, or null) and `fields` (varchar[], one text per asked column; nested values as JSON text). No row is
ever held in Python.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import duckdb

from llm_spend.errors import UserError
from llm_spend.ingest.otlp import spans_of_batches, spans_of_rows
from llm_spend.ingest.sql import identifier, literal

TEXT_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}

MAX_LINE_BYTES = 16_000_000
"""A longer line is rejected. Two of them must fit DuckDB's read buffer."""

MAX_RECORD_LINES = 1_000
"""A quoted CSV value over more lines is a quote that somebody forgot to close."""

BLANKS = "' ' || chr(9) || chr(10) || chr(13)"
# '!' is the first character after the blanks: the dear trim is for the few lines that begin with one.
_NOT_BLANK = f"(raw >= '!' or trim(raw, {BLANKS}) <> '')"
_IN_QUOTES = "chr(1)"


class FileRows(Protocol):
    """One file, readable as SQL: its top-level columns, its number of rows that are not blank."""

    @property
    def columns(self) -> tuple[str, ...]: ...

    @property
    def row_count(self) -> int: ...

    def select(self, names: Sequence[str]) -> str:
        """The select described in the module docstring; a name that the file lacks gives nulls."""


def file_format(path: Path) -> str:
    """The suffix that decides how a file is read: `.jsonl` for `events.jsonl.gz`. UserError when unknown."""
    name = path.with_suffix("") if compression(path) else path
    suffix = name.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"{path}: unknown extension {suffix or '(none)'}; name files {', '.join(SUFFIXES)}, "
            f"text also compressed as {' or '.join(COMPRESSIONS)}"
        )
    if name != path and suffix not in TEXT_SUFFIXES:
        raise UserError(f"{path}: only text is read from an archive; {suffix} has its own compression, unpack it first")
    return suffix


def compression(path: Path) -> str | None:
    """How a file is compressed, in DuckDB's words; None when it is not."""
    return COMPRESSIONS.get(path.suffix.lower())


def is_text(path: Path) -> bool:
    """Whether the file is read as lines of text, compressed or not."""
    return file_format(path) in TEXT_SUFFIXES


def open_rows(connection: duckdb.DuckDBPyConnection, path: Path, unpack: str | None = None) -> FileRows:
    """The reader for a file. Temporary tables it needs replace those of the file before.

    `unpack` says that JSON lines are OpenTelemetry spans: `otlp`, batches of them; `spans`, one each.
    """
    suffix = file_format(path)
    if unpack and suffix not in (".jsonl", ".ndjson", ".json"):
        raise UserError(f"{path}: spans are read from JSON lines, as the OpenTelemetry collector writes them")
    if suffix == ".parquet":
        return _parquet_rows(connection, path)
    if suffix == ".json" and _starts_with_bracket(connection, path):
        return _json_rows(connection, _array_items(path))
    lines = _lines(connection, path)
    if suffix in (".csv", ".tsv"):
        return _csv_rows(connection, path, lines, delimiter="\t" if suffix == ".tsv" else None)
    lines = f"select * from ({lines}) where {_NOT_BLANK}"
    unpacked = {"otlp": spans_of_batches, "spans": spans_of_rows}
    return _json_rows(connection, unpacked[unpack](lines) if unpack else lines)


@dataclass(frozen=True)
class JsonRows:
    """JSON objects, one per row of `lines` (a select of line, raw, problem)."""

    lines: str
    columns: tuple[str, ...]
    row_count: int

    def select(self, names: Sequence[str]) -> str:
        pointers = ", ".join(literal(json_pointer([name])) for name in names or [""])
        return f"""
            select line, raw, case
                when problem is not null then problem
                when fields is null then 'not valid JSON'
                when list_any_value(fields) is null and json_type(raw) <> 'OBJECT'
                    then 'not a JSON object'
            end as problem, fields
            from (select *, try(json_extract_string(raw, [{pointers}])) as fields from ({self.lines}))
        """


@dataclass(frozen=True)
class CsvRows:
    """Delimited text below a header. Quotes follow RFC 4180: a value in quotes may span lines."""

    records: str
    delimiter: str
    columns: tuple[str, ...]
    row_count: int

    def select(self, names: Sequence[str]) -> str:
        cells = ", ".join(
            self._unquoted(f"cells[{self.columns.index(name) + 1}]") if name in self.columns else "null"
            for name in names
        )
        return f"""
            select line, raw, problem, cast([{cells}] as varchar[]) as fields
            from ({self.judged(self.records)})
        """

    def judged(self, records: str) -> str:
        """SQL: the records with `cells`, their values still in quotes, and why a record is broken."""
        delimiter = literal(self.delimiter)
        in_class = "\\t" if self.delimiter == "\t" else self.delimiter
        cell = f'(?:"(?:[^"]|"")*"|[^"{in_class}][^{in_class}]*|)'
        record = literal(f"{cell}(?:{in_class}{cell})*")
        # Every second piece between quotes is inside them: hide its delimiters, then split at the others.
        hidden = f"""array_to_string(list_transform(
            string_split(raw, '"'), lambda piece, place: case
                when place % 2 = 0 then replace(piece, {delimiter}, {_IN_QUOTES})
                else piece
            end
        ), '"')"""
        return f"""
            select * replace (case
                when problem is not null then problem
                when contains(raw, '"') and not regexp_full_match(raw, {record})
                    then 'a quote is opened and not closed, or text follows it'
                when len(cells) <> {len(self.columns)}
                    then 'has ' || len(cells) || ' values where the header names {len(self.columns)}'
            end as problem)
            from (
                select *, string_split(
                    case when contains(raw, '"') then {hidden} else raw end, {delimiter}
                ) as cells
                from ({records})
            )
        """

    def _unquoted(self, cell: str) -> str:
        inner = f"replace(substr({cell}, 2, length({cell}) - 2), '\"\"', '\"')"
        return f"""case when starts_with({cell}, '"')
            then replace({inner}, {_IN_QUOTES}, {literal(self.delimiter)}) else {cell} end"""


@dataclass(frozen=True)
class ParquetRows:
    """Rows of a Parquet file, numbered from 1; their text is the row as JSON."""

    path: Path
    types: dict[str, str]
    row_count: int

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.types)

    def select(self, names: Sequence[str]) -> str:
        fields = ", ".join(self._text(name) if name in self.types else "null" for name in names)
        row = ", ".join(f"{identifier(name)} := {identifier(name)}" for name in self.types)
        return f"""
            select
                file_row_number + 1 as line,
                cast(to_json(struct_pack({row})) as varchar) as raw,
                cast(null as varchar) as problem,
                cast([{fields}] as varchar[]) as fields
            from read_parquet({_file_literal(self.path)}, file_row_number = true)
        """

    def _text(self, name: str) -> str:
        kind = self.types[name]
        nested = kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))
        value = f"to_json({identifier(name)})" if nested else identifier(name)
        return f"cast({value} as varchar)"


def _lines(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    """line, raw, problem of each physical line; a line that is no text has its problem already.

    DuckDB drops such lines, so they are found first and the numbers of the lines after them corrected.
    """
    numbered = (
        f"select row_number() over () as line, coalesce(line, '') as raw, cast(null as varchar) as problem "
        f"from {_read_lines(path)}"
    )
    connection.execute("drop table if exists reject_errors")
    connection.execute("drop table if exists reject_scans")
    connection.execute(f"select count(line) from {_read_lines(path, 'store_rejects')}").fetchall()
    connection.execute(
        """
        create or replace temp table unreadable_lines as
        select
            cast(line as bigint) as line,
            cast(row_number() over (order by line) as bigint) as ordinal,
            any_value(csv_line) as raw,
            case any_value(error_type)
                when 'INVALID ENCODING' then 'not valid UTF-8'
                else 'longer than the 16 MB that a line may have'
            end as problem
        from reject_errors
        group by line
        """
    )
    if not connection.execute("select 1 from unreadable_lines limit 1").fetchone():
        return numbered
    return f"""
        select numbered.line + coalesce(before.dropped, 0) as line, numbered.raw, numbered.problem
        from ({numbered}) as numbered
        asof left join (
            select line - ordinal as readable, max(ordinal) as dropped from unreadable_lines group by readable
        ) as before on numbered.line > before.readable
        union all
        select line, raw, problem from unreadable_lines
    """


def _json_rows(connection: duckdb.DuckDBPyConnection, lines: str) -> JsonRows:
    shapes = f"select try(json_keys(raw)) as keys, count(*) as rows from ({lines}) group by keys"
    columns, row_count = _first_row(
        connection,
        f"""
        with shapes as materialized ({shapes})
        select
            (select list(key order by key) from (select distinct unnest(keys) as key from shapes)),
            (select coalesce(sum(rows), 0) from shapes)
        """,
    )
    return JsonRows(lines, tuple(columns or ()), int(row_count))


def _csv_rows(connection: duckdb.DuckDBPyConnection, path: Path, lines: str, delimiter: str | None) -> CsvRows:
    first = connection.execute(f"select line, raw from ({lines}) where {_NOT_BLANK} order by line limit 1").fetchone()
    header_line, header_text = first or (0, "")
    if delimiter is None:
        delimiter = ";" if ";" in header_text and "," not in header_text else ","
    header = tuple(name.strip() for name in next(csv.reader([header_text], delimiter=delimiter), []))
    repeated = next((name for name in header if header.count(name) > 1), None)
    if repeated is not None:
        raise UserError(f"{path}:{header_line}: the header names {repeated!r} twice; rename one of them")
    below = f"select line, raw, problem from ({lines}) where line > {header_line}"
    joined = _with_spans(connection, CsvRows(below, delimiter, header, 0))
    records = f"select * from ({joined}) where {_NOT_BLANK}"
    (row_count,) = _first_row(connection, f"select count(*) from ({records})")
    return CsvRows(records, delimiter, header, row_count)


def _with_spans(connection: duckdb.DuckDBPyConnection, rows: CsvRows) -> str:
    """The rows' lines, those of a quoted value over several lines joined into one.

    Where an odd number of quotes has gone before, a line continues a record. A record so joined counts only
    if it has the header's number of values: otherwise one forgotten quote would swallow the rest of the file.
    """
    odd = "(length(raw) - length(replace(raw, '\"', ''))) % 2"
    if not connection.execute(f"select 1 from ({rows.records}) where {odd} = 1 limit 1").fetchone():
        return rows.records
    connection.execute(
        f"""
        create or replace temp table members as
        with odd_lines as (
            select line, row_number() over (order by line) as ordinal, lead(line) over (order by line) as next_line
            from (select line from ({rows.records}) where {odd} = 1)
        )
        select line as first_line, unnest(range(line, next_line + 1)) as line
        from odd_lines where ordinal % 2 = 1 and next_line - line < {MAX_RECORD_LINES}
        """
    )
    # A sorted list spills to disk where string_agg in order would not.
    connection.execute(
        f"""
        create or replace temp table spans as
        with gathered as (
            select
                members.first_line, max(lines.problem) as problem,
                list_sort(list({{'line': lines.line, 'raw': lines.raw}})) as parts
            from ({rows.records}) as lines inner join members on lines.line = members.line
            group by members.first_line
        ),
        joined as (
            select first_line, problem, array_to_string(list_transform(parts, lambda part: part.raw), chr(10)) as raw
            from gathered
        ),
        sound as (
            select first_line, raw from ({rows.judged("select * from joined")}) where problem is null
        )
        select members.line, case when members.line = sound.first_line then sound.raw end as raw
        from members inner join sound on members.first_line = sound.first_line
        """
    )
    return f"""
        select lines.line, coalesce(spans.raw, lines.raw) as raw, lines.problem
        from ({rows.records}) as lines
        left join spans on lines.line = spans.line
        where spans.line is null or spans.raw is not null
    """


def _parquet_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> ParquetRows:
    source = f"read_parquet({_file_literal(path)})"
    described = connection.execute(f"describe select * from {source}").fetchall()
    (row_count,) = _first_row(connection, f"select count(*) from {source}")
    return ParquetRows(path, {name: kind for name, kind, *_ in described}, row_count)


def _starts_with_bracket(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    lines = f"select coalesce(line, '') as raw from {_read_lines(path)}"
    first = connection.execute(f"select trim(raw, {BLANKS}) from ({lines}) where {_NOT_BLANK} limit 1").fetchone()
    return bool(first and first[0].startswith("["))


def _array_items(path: Path) -> str:
    return f"""
        select
            row_number() over () as line,
            cast(json as varchar) as raw,
            cast(null as varchar) as problem
        from read_json_objects({_file_literal(path)}, format = 'array', compression = '{compression(path) or "none"}')
    """


def _read_lines(path: Path, on_error: str = "ignore_errors") -> str:
    return f"""read_csv(
        {_file_literal(path)}, columns = {{'line': 'varchar'}}, auto_detect = false, header = false,
        delim = '', quote = '', escape = '', comment = '', strict_mode = false, {on_error} = true,
        compression = '{compression(path) or "none"}',
        max_line_size = {MAX_LINE_BYTES}, buffer_size = {2 * MAX_LINE_BYTES}
    )"""


def _file_literal(path: Path) -> str:
    """A path as SQL, its glob characters taken literally."""
    return literal("".join(f"[{c}]" if c in "*?[" else c for c in str(path)))


def json_pointer(keys: Sequence[str]) -> str:
    """RFC 6901: ["usage", "a/b"] → `/usage/a~1b`."""
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)


def _first_row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple:
    row = connection.execute(sql).fetchone()
    assert row is not None
    return row
