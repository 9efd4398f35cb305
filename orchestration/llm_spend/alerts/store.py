"""The database in which delivery remembers: a SQLite file, or any Postgres. One SQL for both."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from llm_spend.errors import UserError

Place = Path | str
"""A SQLite file, or a Postgres URL, which is a secret."""

LOCK_WAIT_SECONDS = 60
OUTBOX_URL_VARIABLE = "LLM_SPEND_OUTBOX_URL"

_POSTGRES_SCHEMA = "llm_spend_alerts"
_DELIVERING, _MIGRATING = 620_410_001, 620_410_002
"""Two keys of Postgres' advisory locks."""

_MIGRATIONS = (
    (
        """
        create table if not exists outbox (
            id integer primary key,
            alert_id text not null,
            event text not null,
            channel text not null,
            warehouse text not null,
            payload text not null,
            status text not null check (status in ('pending', 'sent', 'dead')),
            attempts integer not null,
            last_error text,
            created_at text not null,
            sent_at text,
            unique (alert_id, event, channel)
        )
        """,
    ),
    (
        "alter table outbox rename to outbox_before",
        """
        create table outbox (
            id bigint primary key,
            alert_id text not null,
            event text not null,
            channel text not null,
            warehouse text not null,
            payload text not null,
            status text not null check (status in ('pending', 'sent', 'dead', 'silenced')),
            attempts integer not null,
            last_error text,
            created_at text not null,
            sent_at text,
            silenced_by text,
            unique (alert_id, event, channel)
        )
        """,
        """
        insert into outbox
        select id, alert_id, event, channel, warehouse, payload, status, attempts, last_error, created_at, sent_at, null
        from outbox_before
        """,
        "drop table outbox_before",
        """
        create table channels (
            channel text primary key,
            failures integer not null,
            not_before text,
            digest_at text
        )
        """,
        """
        create table acknowledgements (
            alert_id text primary key,
            acknowledged_by text not null,
            note text,
            acknowledged_at text not null
        )
        """,
        """
        create table silences (
            silence_id text primary key,
            severity text,
            rule_id text,
            entity_type text,
            entity_id text,
            owner text,
            author text not null,
            reason text not null,
            starts_at text not null,
            ends_at text not null
        )
        """,
    ),
)
"""Each step raises the version by one. A step that was released is never changed."""


class Store:
    """An open database of delivery. SQL has `?` for values, whatever the driver wants."""

    def __init__(self, connection: Any, is_postgres: bool) -> None:
        self._connection, self._is_postgres = connection, is_postgres

    def rows(self, sql: str, *values: object) -> list[tuple]:
        """The answer of a query."""
        return self._execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> None:
        """A statement, committed at once unless it stands in a transaction."""
        self._execute(sql, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk at the end."""
        self.run("begin" if self._is_postgres else "begin immediate")
        try:
            yield
        except BaseException:
            with suppress(Exception):  # a connection that is gone has rolled back
                self.run("rollback")
            raise
        self.run("commit")

    def migrate(self) -> None:
        """Bring the tables to the version of this program. UserError where a newer one wrote them."""
        with self.transaction():
            if self._is_postgres:
                self.run("select pg_advisory_xact_lock(?)", _MIGRATING)
            self.run("create table if not exists outbox_version (version integer not null)")
            version = max((found for (found,) in self.rows("select version from outbox_version")), default=0)
            if version > len(_MIGRATIONS):
                raise UserError("the outbox of alerts was written by a newer llm-spend: upgrade this one", exit_code=1)
            for statements in _MIGRATIONS[version:]:
                for statement in statements:
                    self.run(statement)
            self.run("delete from outbox_version")
            self.run("insert into outbox_version values (?)", len(_MIGRATIONS))

    def _execute(self, sql: str, values: Sequence[object]) -> Any:
        if not self._is_postgres:
            return self._connection.execute(sql, values)
        cursor = self._connection.cursor()
        cursor.execute(sql.replace("?", "%s"), values)
        return cursor


@contextmanager
def open_store(place: Place, wait_seconds: float | None = None) -> Iterator[Store]:
    """The tables at `place`, made when missing.

    With `wait_seconds` the caller delivers: one deliverer at a time holds the place, others wait so long, then get a
    UserError. A Postgres URL is in no error.
    """
    with _postgres(place, wait_seconds) if isinstance(place, str) else _sqlite(place, wait_seconds) as store:
        yield store


@contextmanager
def _sqlite(path: Path, wait_seconds: float | None) -> Iterator[Store]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(f"{path}.lock", timeout=wait_seconds or 0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    with closing(lock):
        if wait_seconds is not None:
            try:
                lock.execute("begin exclusive")
            except sqlite3.OperationalError as error:
                raise _held(str(path)) from error
        try:
            connection = sqlite3.connect(path, timeout=LOCK_WAIT_SECONDS, isolation_level=None)
        except sqlite3.Error as error:
            raise _unusable(path, error) from error
        with closing(connection):
            store = Store(connection, is_postgres=False)
            try:
                store.run("pragma journal_mode = wal")
                store.migrate()
                yield store
            except sqlite3.Error as error:
                raise _unusable(path, error) from error


@contextmanager
def _postgres(url: str, wait_seconds: float | None) -> Iterator[Store]:
    try:
        import psycopg2
    except ModuleNotFoundError as error:
        raise UserError(
            f"{OUTBOX_URL_VARIABLE} names a Postgres: run pip install 'llm-spend[postgres]' first"
        ) from error
    try:
        connection = psycopg2.connect(url, connect_timeout=10)
    except psycopg2.Error as error:
        raise UserError(
            f"the Postgres of {OUTBOX_URL_VARIABLE} does not take the connection ({type(error).__name__}):"
            " write the variable as postgresql://user:password@host:5432/database",
            exit_code=1,
        ) from None
    with closing(connection):
        connection.autocommit = True
        store = Store(connection, is_postgres=True)
        try:
            if wait_seconds is not None:
                store.run("select set_config('lock_timeout', ?, false)", f"{int(wait_seconds * 1000) or 1}ms")
                store.run("select pg_advisory_lock(?)", _DELIVERING)
            store.run(f"create schema if not exists {_POSTGRES_SCHEMA}")
            store.run(f"set search_path to {_POSTGRES_SCHEMA}")
            store.migrate()
            yield store
        except psycopg2.errors.LockNotAvailable as error:
            raise _held(f"the Postgres of {OUTBOX_URL_VARIABLE}") from error
        except psycopg2.Error as error:
            raise UserError(
                f"the Postgres of {OUTBOX_URL_VARIABLE} cannot hold the outbox of alerts ({type(error).__name__}):"
                " it must be up, and its user allowed to create a schema",
                exit_code=1,
            ) from None


def _held(place: str) -> UserError:
    return UserError(f"another delivery holds {place}: wait until it ends, then run again", exit_code=1)


def _unusable(path: Path, error: Exception) -> UserError:
    return UserError(f"{path} cannot be used as the outbox of alerts ({error}): name a writable SQLite file")
