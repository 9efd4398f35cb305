"""Puts the typed rows that `llm-spend load` made of a log into the landing tables of an engine."""

from datetime import datetime
from pathlib import Path

import duckdb

from llm_spend.ingest.load import load
from llm_spend.ingest.mapping import read_mapping
from llm_spend.ingest.schema import LANDINGS, PRECEDENCE, Column, create_statements
from servers import Engine

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("raw.raw_usage_events", "raw.raw_rejected_events")

SAMPLES = ROOT / "tests" / "data" / "sources"
SAMPLE_MAPPINGS = {
    "litellm/spend-logs.jsonl": "litellm",
    "otel/*.jsonl": "otel",
    "langfuse/observations.jsonl": "langfuse",
    "langfuse/observations-api.jsonl": "langfuse-api",
    "langfuse/traces.jsonl": "langfuse-traces",
    "helicone/requests.jsonl": "helicone",
    "claude_code/**/*.jsonl": "claude-code",
}
OTHER_SOURCES = [source for source in PRECEDENCE if source != "app"]
MARTS_OF_SOURCES = ("fct_llm_attempts", "merged_calls", "spend_coverage", "quarantined_events")

TYPES = {
    "postgres": {"varchar": "text"},
    "clickhouse": {
        "varchar": "Nullable(String)",
        "timestamp": "Nullable(DateTime64(6, 'UTC'))",
        "bigint": "Nullable(Int64)",
        "boolean": "Nullable(Bool)",
        "decimal(28, 12)": "Nullable(Decimal(28, 12))",
    },
}
"""What an engine calls the types of DuckDB's landing tables, where it calls them otherwise."""


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


def land_sources(engine: Engine, database: Path, loaded_at: datetime) -> None:
    """Load the samples of other systems' logs into a DuckDB file, and copy their tables to the engine."""
    for files, mapping in SAMPLE_MAPPINGS.items():
        for path in sorted(SAMPLES.glob(files)):
            load(database, [str(path.relative_to(ROOT))], read_mapping(mapping), loaded_at)
    others = [landing for landing in LANDINGS.values() if landing.source in OTHER_SOURCES]
    with duckdb.connect(str(database), read_only=True) as connection:
        for landing in others:
            if engine.target != "duckdb":
                engine.execute(_table(engine, landing.table, landing.all_columns))
            found = connection.execute(f"select * from {landing.table}")
            columns, rows = [column[0] for column in found.description], found.fetchall()
            if rows:
                engine.insert(landing.table, [_quoted(engine, name) for name in columns], rows)
        found = connection.execute("select * from raw.raw_rejected_events")
        columns, rows = [column[0] for column in found.description], found.fetchall()
        if rows:
            engine.insert("raw.raw_rejected_events", columns, rows)


def _table(engine: Engine, table: str, columns: tuple[Column, ...]) -> str:
    types = TYPES.get(engine.target, {})
    fields = ", ".join(f"{column.sql} {types.get(column.sql_type, column.sql_type)}" for column in columns)
    end = " engine = MergeTree order by tuple()" if engine.target == "clickhouse" else ""
    return f"create table {table} ({fields}){end}"


def _quoted(engine: Engine, name: str) -> str:
    return f'"{name}"' if engine.target == "postgres" else name
