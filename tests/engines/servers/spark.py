"""Spark, in a session of one process or behind its Thrift server."""

import json
import logging
import multiprocessing
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from servers.engine import Engine, Row, end, free_port, statements, wait_for

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# Few rows and many statements: compiling and planning anew take longer than they save.
FOR_FEW_ROWS = {
    "spark.driver.memory": "2g",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.optimizer.dynamicPartitionPruning.enabled": "false",
    "spark.sql.shuffle.partitions": 1,
    "spark.default.parallelism": 1,
}
FOR_MILLIONS = {"spark.driver.memory": "6g", "spark.sql.shuffle.partitions": 4}


@contextmanager
def spark_engine(folder: Path) -> Iterator[Engine]:
    """Spark on two cores with a Derby metastore, which one process at a time may open: dbt's, or one of our own."""
    home = folder / "spark"
    environment = _spark_configuration(home, FOR_FEW_ROWS) | {"LLM_SPEND_SPARK_METHOD": "session"}
    workers: list[ProcessPoolExecutor] = []

    def call(work: Callable[..., object], *arguments: object) -> object:
        if not workers:
            context = multiprocessing.get_context("spawn")
            workers.append(ProcessPoolExecutor(1, mp_context=context, initializer=_in_utc, initargs=(environment,)))
        return workers[0].submit(work, *arguments).result()

    def query(sql: str) -> tuple[list[str], list[Row]]:
        return call(_ask_spark, sql)  # type: ignore[return-value]

    def execute(sql: str) -> None:
        for statement in statements(sql):
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
def spark_thrift_engine(folder: Path, tuning: Mapping[str, object] = FOR_FEW_ROWS) -> Iterator[Engine]:
    """The same behind Spark's Thrift server."""
    import pyspark
    from pyhive import hive

    home, port = folder / "spark", free_port()
    environment = os.environ | _spark_configuration(home, tuning)
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
        for statement in statements(sql):
            query(statement)

    def cannot_copy() -> None:
        raise RuntimeError("a running server's files cannot be copied; use spark")

    try:
        # The client prints each refusal: ask the port until it answers.
        wait_for(lambda: socket.create_connection(("127.0.0.1", port)).close(), OSError, server, home / "server.log")
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


def _spark_configuration(home: Path, tuning: Mapping[str, object]) -> dict[str, str]:
    """A configuration for two cores, and the variable that names it."""
    settings = {
        "spark.master": "local[2]",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={home / 'metastore'}",
        "spark.sql.lightweightPlanChangeValidation": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": home / "scratch",
        "spark.sql.warehouse.dir": home / "warehouse",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    } | tuning
    configuration = home / "configuration"
    configuration.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} {value}\n" for name, value in settings.items()]
    (configuration / "spark-defaults.conf").write_text("".join(lines))
    return {"SPARK_CONF_DIR": str(configuration)}


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
    """The last that the process does: PySpark would complain that Java is gone."""
    from pyspark import SparkContext

    logging.disable()
    _spark().stop()
    java = SparkContext._gateway.proc
    java.stdin.close()
    java.wait()
