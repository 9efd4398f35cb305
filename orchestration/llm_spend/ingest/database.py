"""The DuckDB file that a load writes to."""

import re
from pathlib import Path

import duckdb

from llm_spend.errors import UserError

STORAGE_VERSION = "v1.4.0"
"""Readable by DuckDB 1.4 clients; `profiles.yml` asks dbt for the same."""


def open_database(path: Path) -> duckdb.DuckDBPyConnection:
    """Open the file for writing, creating it and its directory where needed; its time zone is UTC.

    Raises UserError: exit code 1 when another process holds the file, 2 when it cannot be a DuckDB file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(str(path), config={"storage_compatibility_version": STORAGE_VERSION})
    except OSError as error:
        raise UserError(
            f"database {path}: cannot be created ({error.strerror}); choose another with --db"
        ) from None
    except duckdb.Error as error:
        raise _open_error(path, first_line(error)) from None
    connection.execute("set TimeZone = 'UTC'")
    # So that query_progress() works; the caller draws the bar.
    connection.execute("set enable_progress_bar = true")
    connection.execute("set enable_progress_bar_print = false")
    return connection


def _open_error(path: Path, reason: str) -> UserError:
    if "lock" in reason:
        holder = re.search(r"PID (\d+)", reason)
        who = f"process {holder[1]}" if holder else "another process"
        return UserError(
            f"database {path}: locked by {who}; close it, or choose another with --db", exit_code=1
        )
    if "not a valid DuckDB database" in reason:
        return UserError(f"database {path}: not a DuckDB file; choose another with --db")
    return UserError(f"database {path}: cannot be opened ({reason}); choose another with --db")


def first_line(error: Exception) -> str:
    """What DuckDB says, without its error class and its advice."""
    line = str(error).splitlines()[0] if str(error) else type(error).__name__
    return re.sub(r"^(\w+( \w+)? Error: )+", "", line)


def literal(text: str) -> str:
    """A SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
