"""DuckDB, whose server is a file."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from servers.engine import Engine, Row


@contextmanager
def duckdb_engine(folder: Path) -> Iterator[Engine]:
    """A file of its own. It is opened for each call, since dbt must write it in between."""
    import duckdb

    database = folder / "llm_spend.duckdb"

    def execute(sql: str) -> None:
        with duckdb.connect(str(database)) as connection:
            connection.execute(sql)

    def query(sql: str) -> tuple[list[str], list[Row]]:
        with duckdb.connect(str(database)) as connection:
            found = connection.execute(sql)
            return [column[0] for column in found.description], found.fetchall()

    def insert(table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        with duckdb.connect(str(database)) as connection:
            places = ", ".join("?" * len(columns))
            connection.begin()
            connection.executemany(f"insert into {table} ({', '.join(columns)}) values ({places})", rows)
            connection.commit()

    def keep() -> None:
        shutil.copyfile(database, folder / "kept.duckdb")

    def restore() -> None:
        database.with_suffix(".duckdb.wal").unlink(missing_ok=True)
        shutil.copyfile(folder / "kept.duckdb", database)

    yield Engine("duckdb", {"LLM_SPEND_DUCKDB_PATH": str(database)}, execute, query, insert, keep, restore)
