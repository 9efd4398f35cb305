"""Opens the DuckDB file the same way everywhere."""

from contextlib import contextmanager
from pathlib import Path

import duckdb

from llm_spend.errors import UserError

STORAGE_VERSION = "v1.4.0"
"""Files stay readable for DuckDB 1.4 clients, which most BI tools still bundle."""


@contextmanager
def connect(database: Path, read_only: bool = False):
    """A connection in UTC, closed at the end. A file in use by another process is a UserError with exit code 1."""
    try:
        if not read_only:
            database.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(
            str(database), read_only=read_only, config={"storage_compatibility_version": STORAGE_VERSION}
        )
    except OSError as error:
        raise UserError(f"{database} cannot be created ({error.strerror}); choose another file with --db") from error
    except duckdb.Error as error:
        raise _explained(database, error) from error
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


def _explained(database: Path, error: duckdb.Error) -> UserError:
    text = " ".join(str(error).split())
    if "lock" in text.lower():
        holder = text.partition("PID ")[2].partition(")")[0]
        by = f" by process {holder}" if holder.isdigit() else " by another process"
        return UserError(f"{database} is in use{by}: close it there, or wait, and run again", exit_code=1)
    return UserError(f"{database} cannot be opened as a DuckDB database: {text}; choose another file with --db")
