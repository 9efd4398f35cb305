"""Which kinds of logs and which bills a database holds."""

from collections.abc import Iterable
from pathlib import Path

from llm_spend.database import connect
from llm_spend.ingest.schema import PRECEDENCE, USAGE_EVENTS


def loaded_sources(database: Path, expected: Iterable[str] = ()) -> list[str]:
    """The sources of the landing tables and those `expected`, the one whose records count first at the front.

    Those of a database that is not there, or of an earlier release, are an application's own events.
    """
    found = {*expected, *_logged(database)} or {USAGE_EVENTS.source}
    return [source for source in PRECEDENCE if source in found]


def _logged(database: Path) -> set[str]:
    if not database.exists():
        return set()
    with connect(database, read_only=True) as connection:
        has_source = connection.execute(
            "select 1 from information_schema.columns where table_name = 'raw_loaded_files' and column_name = 'source'"
        ).fetchone()
        if not has_source:
            return {USAGE_EVENTS.source}
        return {
            source for (source,) in connection.execute("select distinct source from raw.raw_loaded_files").fetchall()
        }


def loaded_bills(database: Path) -> list[str]:
    """The bills in the database, as the var `provider_bills` names them: a provider's of whose tables all are there."""
    if not database.exists():
        return []
    with connect(database, read_only=True) as connection:
        tables = {
            table
            for (table,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'raw'"
            ).fetchall()
        }
    return [bill for bill, needed in _BILL_TABLES.items() if {"raw_bill_periods", *needed} <= tables]


_BILL_TABLES = {
    "openai": ("raw_openai_usage", "raw_openai_costs"),
    "anthropic": ("raw_anthropic_usage", "raw_anthropic_costs"),
    "bill_lines": ("raw_bill_lines",),
}
