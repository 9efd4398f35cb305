"""One writer of a DuckDB file at a time, the demo or a log of one's own in it, and a mark on marts half built."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import duckdb

from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.paths import short

WAIT_SECONDS = 600.0
_LOOK_AGAIN_SECONDS = 0.2
_UNFINISHED = "unfinished_build"


@contextmanager
def writing(
    database: Path,
    who: str,
    wait_seconds: float = WAIT_SECONDS,
    tell: Callable[[str], None] = lambda _message: None,
) -> Iterator[None]:
    """Be the only process that loads, builds or publishes `database`, or wait for the one that is.

    The lock is on a file beside the database. The operating system gives it back when its holder ends, however it
    ends; the file stays. `who` is what others read while they wait, and `tell` hears once who we wait for. Raises
    UserError with exit code 1 when that lasts longer than `wait_seconds`.
    """
    with _lock_file(database) as lock:
        _acquire(lock, database, wait_seconds, tell)
        lock.seek(0)
        lock.truncate()
        lock.write(f"process {os.getpid()} ({who})")
        lock.flush()
        yield


def keep_demo_apart(database: Path, event_source: str) -> bool:
    """Take the demo out of a database in which another log is built; whether it was there.

    Marts keep attempts whose raw rows are gone, so the demo's spend would stay in the bill. The demo in a database
    that has a log is a UserError with exit code 2: those attempts may be nowhere else.
    """
    if not database.exists():
        return False
    with connect(database) as connection:
        tables = _raw_tables(connection)
        if event_source == "demo":
            if "raw_usage_events" in tables and connection.execute("from raw.raw_usage_events limit 1").fetchone():
                raise UserError(f"{short(database)} holds a log of your own: name another file for the demo with --db")
            return False
        if "raw_demo_usage_events" not in tables:
            return False
        for schema in ("marts", "intermediate", "staging"):
            connection.execute(f"drop schema if exists {schema} cascade")
        for table in tables:
            if table.startswith(("raw_demo_", "demo_")):
                connection.execute(f"drop table raw.{table}")
    return True


def begin_build(database: Path) -> None:
    """Mark the marts as unfinished. A file in use is a UserError with exit code 1."""
    with connect(database) as connection:
        connection.execute("create schema if not exists raw")
        connection.execute(f"create table if not exists raw.{_UNFINISHED} (is_unfinished boolean)")


def end_build(database: Path) -> None:
    """Take the mark back, after a build that ended well; one that failed or was killed leaves it."""
    with connect(database) as connection:
        connection.execute(f"drop table if exists raw.{_UNFINISHED}")


def is_unfinished(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether some marts may be of another moment than the rest, or did not pass their tests."""
    return _UNFINISHED in _raw_tables(connection)


def _raw_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = "select table_name from duckdb_tables() where schema_name = 'raw' order by table_name"
    return [name for (name,) in connection.execute(found).fetchall()]


def _lock_file(database: Path) -> TextIO:
    """The same for all names of a database."""
    real = database.expanduser().resolve()
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        return real.with_name(f"{real.name}.lock").open("a+", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{database} cannot be created ({error.strerror}); choose another file with --db") from error


def _acquire(lock: TextIO, database: Path, wait_seconds: float, tell: Callable[[str], None]) -> None:
    deadline = time.monotonic() + wait_seconds
    has_told = False
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        if time.monotonic() >= deadline:
            raise UserError(
                f"{short(database)} is being written by {holder}: wait until it has ended and run again", exit_code=1
            )
        if not has_told:
            tell(f"{short(database)} is being written by {holder}: waiting for it, {wait_seconds / 60:.0f} min at most")
            has_told = True
        time.sleep(_LOOK_AGAIN_SECONDS)
