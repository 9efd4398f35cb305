"""Puts the typed rows that `llm-spend load` made of a log into the landing tables of an engine."""

from datetime import datetime
from pathlib import Path

import duckdb

from llm_spend.ingest.load import load
from llm_spend.ingest.schema import create_statements
from servers import Engine

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("raw.raw_usage_events", "raw.raw_rejected_events")


def create(engine: Engine) -> None:
    """The landing tables by docs/landing/<engine>.sql; DuckDB's are those that the load makes itself."""
    documented = ROOT / "docs" / "landing" / f"{engine.target}.sql"
    engine.execute(documented.read_text() if documented.exists() else ";".join(create_statements()))


def land(engine: Engine, database: Path, log: str, loaded_at: datetime) -> int:
    """Load a log into a DuckDB file, copy what is new there to the engine, and return how many rows that were.

    `log` is relative to the working directory, for the marts name the file of a refused row.
    """
    report = load(database, [log], None, loaded_at)
    hashes = [file.file_hash for file in report.files if not file.is_skipped]
    landed = 0
    with duckdb.connect(str(database), read_only=True) as connection:
        for table in TABLES if hashes else ():
            found = connection.execute(f"select * from {table} where _file_hash in ?", [hashes])
            columns, rows = [column[0] for column in found.description], found.fetchall()
            if rows:
                engine.insert(table, columns, rows)
            landed += len(rows)
    return landed
