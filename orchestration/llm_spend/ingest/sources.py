"""Which kinds of logs a database holds."""

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
