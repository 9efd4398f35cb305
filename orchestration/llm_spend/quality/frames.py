"""Where the frames that Great Expectations judges come from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import duckdb

from llm_spend.errors import UserError
from llm_spend.ingest.schema import CALLS, EVENT_COLUMNS, LANDINGS, TABLES, create_statements
from llm_spend.ingest.sql import literal
from llm_spend.quality.staging import LANDED_ROWS, StagingRules

if TYPE_CHECKING:
    from pandas import DataFrame

COUNT_COLUMNS = tuple(c.name for c in EVENT_COLUMNS if c.kind == "integer" and c.name != "attempt_number")
WORD_COLUMNS = ("status", "environment", "data_mode", "user_type")
ROW_COLUMNS = ("_source_line", "event_id", "started_at", "model", *WORD_COLUMNS, *COUNT_COLUMNS, "quarantine_reason")
NOT_PARSED = "not parsed"

EARLIER_FILES = 7
"""A week of daily files: fewer say nothing about what is usual."""


@dataclass(frozen=True)
class LandedFile:
    """A file of the landing tables. `usual_rows`: the median of the files of earlier loads, when enough of them are."""

    file_hash: str
    path: str
    source: str
    usual_rows: float | None


class FrameSource(Protocol):
    """An engine's landing tables as pandas frames of bounded size."""

    def columns(self) -> "DataFrame":
        """One row per column that the landing tables must have: name, expected_type, type (null when missing)."""
        ...

    def files(self, file_hashes: Sequence[str] | None) -> list[LandedFile]:
        """The files with these hashes, by default those of the latest load."""
        ...

    def batches(self, file: LandedFile, rules: StagingRules, batch_rows: int) -> Iterator["DataFrame"]:
        """The file's rows in the order of its lines, `ROW_COLUMNS`, `batch_rows` lines at a time.

        A line that was not parsed has a quarantine_reason that starts with `NOT_PARSED`, and nothing else.
        """
        ...


class DuckDbFrames:
    """The landing tables of a DuckDB file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def columns(self) -> "DataFrame":
        with duckdb.connect() as blank:
            for statement in create_statements():
                blank.execute(statement)
            expected = _column_types(blank)
        actual = _column_types(self._connection)
        return expected.rename(columns={"type": "expected_type"}).merge(actual, on="name", how="left")

    def files(self, file_hashes: Sequence[str] | None) -> list[LandedFile]:
        chosen = "list_contains($1, _file_hash)" if file_hashes is not None else "_loaded_at = latest"
        found = self._connection.execute(
            f"""
            with files as (
                select *, event_count + rejected_count as row_count, max(_loaded_at) over () as latest
                from raw.raw_loaded_files
            )
            select
                _file_hash,
                _source_file,
                source,
                (
                    select case when count(*) >= {EARLIER_FILES} then median(earlier.row_count) end
                    from files as earlier
                    where earlier._loaded_at < files._loaded_at and earlier.source = files.source
                )
            from files where {chosen} order by _source_file, _file_hash
            """,
            [list(file_hashes)] if file_hashes is not None else [],
        ).fetchall()
        if not found:
            raise UserError("the landing tables hold no file to judge: load one with llm-spend load --events")
        return [file for file in (LandedFile(*row) for row in found) if self._may_have_calls(file)]

    def _may_have_calls(self, file: LandedFile) -> bool:
        """Whether it is not one beside the calls, such as an export of traces."""
        others = [landing for landing in LANDINGS.values() if landing.source == file.source][1:]
        rows = " union all ".join(f"select _file_hash from {landing.table}" for landing in others)
        return (
            not others
            or not self._connection.execute(
                f"select 1 from ({rows}) where _file_hash = ? limit 1", [file.file_hash]
            ).fetchone()
        )

    def batches(self, file: LandedFile, rules: StagingRules, batch_rows: int) -> Iterator["DataFrame"]:
        this_file = f"_file_hash = {literal(file.file_hash)}"
        for landing in LANDINGS.values():
            if landing.source == file.source:
                is_calls = landing is CALLS[file.source]
                name, rows = (LANDED_ROWS, this_file) if is_calls else (f"raw_{landing.name}", "true")
                self._connection.execute(
                    f"create or replace temp view {name} as select * from {landing.table} where {rows}"
                )
        (last_line,) = self._connection.execute(
            f"""
            select max(_source_line) from (
                select _source_line from {LANDED_ROWS}
                union all
                select _source_line from raw.raw_rejected_events where {this_file}
            )
            """
        ).fetchone() or (None,)
        for first_line in range(1, (last_line or 0) + 1, batch_rows):
            lines = f"_source_line between {first_line} and {first_line + batch_rows - 1}"
            batch = self._connection.execute(
                f"""
                select {", ".join(ROW_COLUMNS)} from ({rules.select}) where {lines} and left_out_reason is null
                union all by name
                select _source_line, '{NOT_PARSED}: ' || reason as quarantine_reason
                from raw.raw_rejected_events where {this_file} and {lines}
                order by _source_line
                """
            ).df()
            if len(batch):
                yield batch


def _column_types(connection: duckdb.DuckDBPyConnection) -> "DataFrame":
    tables = ", ".join(literal(table) for table in TABLES)
    return connection.execute(
        f"""
        select table_schema || '.' || table_name || '.' || column_name as name, data_type as type
        from information_schema.columns
        where table_schema || '.' || table_name in ({tables})
        order by table_name, ordinal_position
        """
    ).df()
