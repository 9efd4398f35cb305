"""Real engines on loopback, each in a temporary directory and ended by its process id."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from servers.clickhouse import clickhouse_engine
from servers.duckdb import duckdb_engine
from servers.engine import Engine, Row, end
from servers.postgres import postgres_engine
from servers.spark import spark_engine, spark_thrift_engine

__all__ = ["ENGINES", "Engine", "Row", "end"]

ENGINES: dict[str, Callable[[Path], AbstractContextManager[Engine]]] = {
    "duckdb": duckdb_engine,
    "postgres": postgres_engine,
    "clickhouse": clickhouse_engine,
    "spark": spark_engine,
    "spark-thrift": spark_thrift_engine,
}
