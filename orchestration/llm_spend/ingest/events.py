"""The SQL that turns a file's text fields into typed landing columns, or into the reason why it cannot."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_spend.ingest.database import literal
from llm_spend.ingest.mapping import FieldSource, Mapping
from llm_spend.ingest.readers import BLANKS, json_pointer
from llm_spend.ingest.schema import EVENT_COLUMNS, Column

_EXPECTED = {
    "timestamp": "an ISO 8601 timestamp",
    "integer": "a whole number",
    "decimal": "a decimal number",
    "boolean": "true or false",
    "json": "a JSON object",
}
_UNIX_MICROSECONDS = {"unix_seconds": 1_000_000, "unix_milliseconds": 1_000, "unix_microseconds": 1}
_QUOTED_LENGTH = 80

FIELD_LIST = ", ".join(column.name for column in EVENT_COLUMNS)


@dataclass(frozen=True)
class Place:
    """A place in a row: a top-level column, and the keys into the JSON object it holds."""

    column: str
    keys: tuple[str, ...] = ()


def places(name: str) -> list[Place]:
    """How `usage.details.cached` may be read: the column of that very name, else the path."""
    column, *keys = name.split(".")
    return [Place(name), Place(column, tuple(keys))] if keys and all([column, *keys]) else [Place(name)]


@dataclass(frozen=True)
class EventSql:
    """One file's events as SQL over the reader's select.

    `columns` are the top-level columns to ask the reader for; `hashed` the fields whose value is replaced.
    """

    mapping: Mapping
    hashed: frozenset[str] = frozenset()

    @property
    def columns(self) -> list[str]:
        found = [
            place
            for column in EVENT_COLUMNS
            for name in self.mapping.source(column).columns
            for place in places(name)
        ]
        return list(dict.fromkeys(place.column for place in found))

    def texts(self, rows: str, columns: Sequence[Column] = EVENT_COLUMNS) -> str:
        """line, raw, problem and each field as text: translated, blank as null."""
        fields = ", ".join(f"{self._text(column)} as {column.name}" for column in columns)
        return f"select line, raw, problem, {fields} from ({rows})"

    def events(self, rows: str) -> str:
        """line, raw, reason (null for an event that lands) and each field, typed."""
        checked = [column for column in EVENT_COLUMNS if column.kind != "text"]
        texts = ", ".join(f"{column.name} as {column.name}_text" for column in checked)
        typed = ", ".join(f"{self._typed(column)} as {column.name}" for column in EVENT_COLUMNS)
        reasons = " ".join(
            f"when {column.name}_text is not null and {column.name} is null then {self._reason(column)}"
            for column in checked
        )
        return f"""
            select line, raw, case when problem is not null then problem {reasons} end as reason, {FIELD_LIST}
            from (select line, raw, problem, {texts}, {typed} from ({self.texts(rows)}))
        """

    def _text(self, column: Column) -> str:
        source = self.mapping.source(column)
        value = self._logged(source)
        if source.values:
            cases = " ".join(
                f"when {literal(logged)} then {'null' if meant is None else literal(meant)}"
                for logged, meant in source.values
            )
            value = f"case {value} {cases} else {value} end"
        if source.zero_is_null:
            value = f"case when try_cast({value} as double) = 0 then null else {value} end"
        return value

    def _logged(self, source: FieldSource) -> str:
        if not source.columns:
            return "cast(null as varchar)" if source.constant is None else literal(source.constant)
        texts = [
            f"nullif(trim({self.place_text(place)}, {BLANKS}), '')"
            for name in source.columns
            for place in places(name)
        ]
        return texts[0] if len(texts) == 1 else f"coalesce({', '.join(texts)})"

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
        text, source = column.name, self.mapping.source(column)
        if column.kind == "timestamp":
            return _timestamp(text, source)
        if column.name == "latency_ms" and source.unit:
            factor = 1_000 if source.unit == "seconds" else 1
            return f"try_cast(round(try_cast({text} as decimal(28, 9)) * {factor}) as bigint)"
        if column.kind == "integer":
            whole = f"try_cast({text} as bigint)"
            return f"case when {whole} = try_cast({text} as double) then {whole} end"
        if column.kind == "boolean":
            return f"case lower({text}) when 'true' then true when '1' then true when 'false' then false when '0' then false end"
        if column.kind == "json":
            is_object = f"case when json_valid({text}) then json_type({text}) = 'OBJECT' end"
            return f"case when {is_object} then cast(json({text}) as varchar) end"
        if column.kind == "decimal":
            return f"try_cast({text} as {column.sql_type})"
        return text

    def _reason(self, column: Column) -> str:
        source = self.mapping.source(column)
        expected = _EXPECTED[column.kind]
        if source.format in _UNIX_MICROSECONDS:
            expected = f"a time in {source.format.replace('_', ' ')}"
        origin = "" if source.columns in ((), (column.name,)) else f" (from {' or '.join(source.columns)})"
        hint = "; a unix time needs a mapping with a format" if expected == _EXPECTED["timestamp"] else ""
        if self.hashed:
            return literal(f"{column.name}{origin} is not {expected}{hint}")
        shown = f"left({column.name}_text, {_QUOTED_LENGTH})"
        before, after = literal(f"{column.name}{origin} is '"), literal(f"', not {expected}{hint}")
        return f"{before} || {shown} || {after}"


def _timestamp(text: str, source: FieldSource) -> str:
    if source.format in _UNIX_MICROSECONDS:
        scaled = f"try_cast({text} as decimal(28, 9)) * {_UNIX_MICROSECONDS[source.format]}"
        return f"try(make_timestamp(try_cast(floor({scaled}) as bigint)))"
    # `like` leaves out what DuckDB also takes for a time, such as 'infinity' and 'epoch'.
    return f"case when {text} like '____-__-__%' then try_cast({text} as timestamptz) at time zone 'UTC' end"
