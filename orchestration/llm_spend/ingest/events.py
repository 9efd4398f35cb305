"""The SQL that turns a file's text fields into typed landing columns, or into the reason why it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from llm_spend.ingest.mapping import FieldSource, Mapping
from llm_spend.ingest.readers import BLANKS, json_pointer
from llm_spend.ingest.schema import Column
from llm_spend.ingest.sql import identifier, literal

_EXPECTED = {
    "timestamp": "an ISO 8601 timestamp",
    "integer": "a whole number",
    "decimal": "a decimal number",
    "boolean": "true or false",
    "json": "a JSON object",
}
_UNIX_MICROSECONDS = {
    "unix_seconds": "1000000",
    "unix_milliseconds": "1000",
    "unix_microseconds": "1",
    "unix_nanoseconds": "0.001",
}
_QUOTED_LENGTH = 80


@dataclass(frozen=True)
class Place:
    """A place in a row: a top-level column, and the keys into the JSON object it holds."""

    column: str
    keys: tuple[str, ...] = ()


def places(name: str) -> list[Place]:
    """How `usage.details.cached` may be read: the column of that very name, else the path."""
    column, *keys = name.split(".")
    is_path = bool(keys) and all([column, *keys])
    return [Place(name), Place(column, tuple(keys))] if is_path else [Place(name)]


@dataclass(frozen=True)
class EventSql:
    """One file's events as SQL over its reader's select.

    `available` are the file's top-level columns, `columns` those that the mapping reads: ask the reader for
    these. A reason quotes a value only where no field is `hashed`: a shifted row may hold an id anywhere.
    """

    mapping: Mapping
    available: Sequence[str]
    hashed: frozenset[str] = frozenset()

    @cached_property
    def columns(self) -> list[str]:
        read = [place.column for column in self.mapping.landing.read_columns for place in self._places(column)]
        return list(dict.fromkeys([*read, *(place.column for place in self._kind_places)]))

    @cached_property
    def logged(self) -> list[Column]:
        """The fields that the file can fill."""
        return [
            column
            for column in self.mapping.landing.read_columns
            if self._places(column) or self.mapping.source(column).constant is not None
        ]

    def texts(self, rows: str) -> str:
        """line, raw, problem, is_left_out and each logged field as text: translated, blank as null."""
        fields = "".join(f", {self._text(column)} as {column.sql}" for column in self.logged)
        return f"select line, raw, problem, {self._is_left_out()} as is_left_out{fields} from ({rows})"

    def events(self, rows: str) -> str:
        """line, raw, is_left_out, reason (null for an event that lands), each field and token flag, typed."""
        checked = [column for column in self.logged if column.kind != "text"]
        texts = "".join(f", {column.sql} as {identifier(column.name + '_text')}" for column in checked)
        typed = "".join(f", {self._typed(column)} as {column.sql}" for column in self.mapping.landing.read_columns)
        reasons = " ".join(
            f"when {identifier(column.name + '_text')} is not null and {column.sql} is null then {self._reason(column)}"
            for column in checked
        )
        fields = ", ".join(column.sql for column in self.mapping.landing.read_columns)
        return f"""
            select
                line, raw, is_left_out,
                case when problem is not null then problem {reasons} end as reason, {fields}
            from (select line, raw, problem, is_left_out{texts}{typed} from ({self.texts(rows)}))
        """

    def _places(self, column: Column) -> list[Place]:
        return self._found(self.mapping.source(column).columns)

    @property
    def _kind_places(self) -> list[Place]:
        return self._found([self.mapping.only[0]]) if self.mapping.only else []

    def _found(self, names: Sequence[str]) -> list[Place]:
        found = [place for name in names for place in places(name)]
        return [place for place in found if place.column in self.available]

    def _is_left_out(self) -> str:
        """SQL: whether the row says that it is no call; one that says nothing is judged like any other."""
        if not self.mapping.only or not self._kind_places:
            return "false"
        wanted = ", ".join(literal(value) for value in self.mapping.only[1])
        kind = _first([_not_blank(self.place_text(place)) for place in self._kind_places])
        return f"coalesce(problem is null and {kind} not in ({wanted}), false)"

    def _text(self, column: Column) -> str:
        source = self.mapping.source(column)
        value = literal(source.constant) if source.constant is not None else self._logged_text(column)
        if source.zero_is_null:
            value = f"case when try_cast({value} as double) = 0 then null else {value} end"
        return value

    def _logged_text(self, column: Column) -> str:
        source = self.mapping.source(column)
        return _first([_translated(_not_blank(self.place_text(place)), source) for place in self._places(column)])

    def place_text(self, place: Place) -> str:
        """SQL: the text at a place of the row, null where there is none."""
        field = self.field(place.column)
        if not place.keys:
            return field
        pointer = literal(json_pointer(place.keys))
        return f"case when json_valid({field}) then json_extract_string({field}, {pointer}) end"

    def field(self, column: str) -> str:
        """SQL: the text of a top-level column."""
        return f"fields[{self.columns.index(column) + 1}]"

    def _typed(self, column: Column) -> str:
        text, source = column.sql, self.mapping.source(column)
        if column not in self.logged:
            return f"cast(null as {column.sql_type})"
        if column.kind == "timestamp":
            return _timestamp(text, source)
        if column.name == "latency_ms" and source.unit:
            factor = 1_000 if source.unit == "seconds" else 1
            return f"try_cast(round(try_cast({text} as decimal(28, 9)) * {factor}) as bigint)"
        if column.kind == "integer":
            whole = f"try_cast({text} as bigint)"
            return f"case when {whole} = try_cast({text} as double) then {whole} end"
        if column.kind == "boolean":
            is_true, is_false = f"lower({text}) in ('true', '1')", f"lower({text}) in ('false', '0')"
            return f"case when {is_true} then true when {is_false} then false end"
        if column.kind == "json":
            is_object = f"case when json_valid({text}) then json_type({text}) = 'OBJECT' end"
            return f"case when {is_object} then cast(json({text}) as varchar) end"
        if source.unit == "cents":
            # Decimals all the way: 37 digits hold a product of 18 decimals.
            return f"try_cast(try_cast({text} as decimal(34, 16)) * cast(0.01 as decimal(3, 2)) as {column.sql_type})"
        if column.kind == "decimal":
            return f"try_cast({text} as {column.sql_type})"
        return text

    def _reason(self, column: Column) -> str:
        source = self.mapping.source(column)
        expected = _EXPECTED[column.kind]
        if source.format in _UNIX_MICROSECONDS:
            expected = f"a time in {source.format.replace('_', ' ')}"
        origin = "" if source.columns in ((), (column.name,)) else f" (from {' or '.join(source.columns)})"
        name = column.name.removeprefix("_")
        hint = "; a unix time needs a mapping with a format" if expected == _EXPECTED["timestamp"] else ""
        if self.hashed:
            return literal(f"{name}{origin} is not {expected}{hint}")
        shown = f"left({identifier(column.name + '_text')}, {_QUOTED_LENGTH})"
        before, after = literal(f"{name}{origin} is '"), literal(f"', not {expected}{hint}")
        return f"{before} || {shown} || {after}"


def _first(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"


def _translated(text: str, source: FieldSource) -> str:
    if not source.values:
        return text
    cases = " ".join(
        f"when {literal(logged)} then {'null' if meant is None else literal(meant)}" for logged, meant in source.values
    )
    other = text if source.otherwise is None else f"case when {text} is not null then {literal(source.otherwise)} end"
    return f"case {text} {cases} else {other} end"


def _not_blank(text: str) -> str:
    # '!' is the first character after the blanks; text that begins with one is rare, and dear to trim.
    return f"case when {text} >= '!' then rtrim({text}) else nullif(trim({text}, {BLANKS}), '') end"


def _timestamp(text: str, source: FieldSource) -> str:
    if source.format in _UNIX_MICROSECONDS:
        scaled = f"try_cast({text} as decimal(28, 9)) * {_UNIX_MICROSECONDS[source.format]}"
        return f"try(make_timestamp(try_cast(floor({scaled}) as bigint)))"
    # `like` leaves out what DuckDB also takes for a time, such as 'infinity' and 'epoch'.
    return f"case when {text} like '____-__-__%' then try_cast({text} as timestamptz) at time zone 'UTC' end"
