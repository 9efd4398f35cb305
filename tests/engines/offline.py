"""Warehouses that nobody can start: dbt builds against a connection that runs nothing and writes every statement down.

Questions get canned answers: what exists, the columns of contracts, two touched days, no failures.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
TOUCHED_DAYS = (date(2026, 10, 3), date(2026, 10, 5))
DATABASE = "llm_spend"
ENVIRONMENT = {
    "snowflake": {"LLM_SPEND_SNOWFLAKE_ACCOUNT": "nowhere", "LLM_SPEND_SNOWFLAKE_DATABASE": DATABASE},
    "bigquery": {"LLM_SPEND_BIGQUERY_PROJECT": DATABASE},
}
"""The warehouses that only this knows, and what their targets need."""
BUILD = ("build", "--exclude-resource-type", "unit_test")
Answer = tuple[list[str], list[tuple[object, ...]]]


@dataclass(frozen=True)
class Statement:
    """What dbt sent, and for which of its nodes."""

    node: str
    sql: str


@dataclass(frozen=True)
class Relation:
    """A table or view of the project; its columns and their types are those of its contract, if it has one."""

    schema: str
    name: str
    kind: str
    columns: Mapping[str, str]


@dataclass
class Recorder:
    """Takes statements, answers questions."""

    relations: list[Relation]
    all_exist: bool = False
    statements: list[Statement] = field(default_factory=list)

    def existing(self, schema: str) -> list[Relation]:
        return [relation for relation in self.relations if self.all_exist and relation.schema == schema.lower()]

    def columns(self, name: str) -> Mapping[str, str]:
        """Of a relation, or of what dbt builds beside it first."""
        model = name.lower().strip('"').removesuffix("__dbt_tmp")
        return next((relation.columns for relation in self.relations if relation.name == model), {})

    def take(self, node: str, sql: str) -> Answer:
        self.statements.append(Statement(node, sql))
        if "count(*) as failures" in sql:
            return ["failures", "should_warn", "should_error"], [(0, False, False)]
        if asked := re.search(r"select distinct (\w+) from \S+ order by 1", sql):
            return [asked[1]], [(day,) for day in TOUCHED_DAYS]
        if re.search(r"where false\b[^;]*\blimit 0\s*$", sql):
            return list(self.columns(node.rpartition(".")[2])), []
        return ["everything"], []

    def load(self, node: str, table: str, file: BinaryIO) -> None:
        """The rows of a file, into a table that is there."""


@contextmanager
def recording(warehouse: str, recorder: Recorder) -> Iterator[None]:
    """While this lasts, dbt's connections to the warehouse end at the recorder."""
    opened = {"snowflake": _snowflake_connections, "bigquery": _bigquery_connections}[warehouse](recorder)
    with opened, mock.patch.dict(os.environ, ENVIRONMENT[warehouse]):
        yield


def _literal(value: object) -> str:
    if value is None:
        return "null"
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _snowflake_connections(recorder: Recorder) -> mock._patch:
    from dbt.adapters.snowflake.connections import SnowflakeConnectionManager
    from snowflake.connector.constants import FIELD_ID_TO_NAME

    ids = {name: number for number, name in FIELD_ID_TO_NAME.items()}
    kinds = {
        "text": "TEXT",
        "boolean": "BOOLEAN",
        "date": "DATE",
        "timestamp": "TIMESTAMP_NTZ",
        "double precision": "REAL",
    }

    class Cursor:
        sqlstate, sfqid, rowcount = "SUCCESS", "0", 0

        def __init__(self, connection: object) -> None:
            self.connection = connection
            self.description: list[tuple[object, ...]] = []
            self.rows: list[tuple[object, ...]] = []

        def execute(self, sql: str, bindings: Sequence[object] = ()) -> None:
            columns, self.rows = self.answer(sql % tuple(map(_literal, bindings)) if bindings else sql)
            contract = recorder.columns(self.connection.name.rpartition(".")[2])
            types = [ids[kinds.get(contract.get(name, "text"), "FIXED")] for name in columns]
            self.description = [
                (name, kind, None, None, 38, 12, True) for name, kind in zip(columns, types, strict=True)
            ]

        def answer(self, sql: str) -> Answer:
            answer = recorder.take(self.connection.name, sql)
            if asked := re.search(r"show objects in \S+?\.(\w+)", sql):
                return ["name", "schema_name", "database_name", "kind", "is_dynamic", "is_iceberg", "is_interactive"], [
                    (relation.name.upper(), relation.schema.upper(), "LLM_SPEND", relation.kind.upper(), "N", "N", "N")
                    for relation in recorder.existing(asked[1])
                ]
            if "show terse schemas" in sql:
                return ["name"], []
            if "show user functions" in sql:
                return ["name", "schema_name", "catalog_name", "is_builtin"], []
            if asked := re.search(r"describe table (\S+)", sql, re.IGNORECASE):
                types = {"text": "VARCHAR(16777216)", "bigint": "NUMBER(38,0)", "double precision": "FLOAT"}
                columns = recorder.columns(asked[1].rpartition(".")[2])
                return ["name", "type"], [(name.upper(), types.get(kind, kind)) for name, kind in columns.items()]
            return answer

        def fetchall(self) -> list[tuple[object, ...]]:
            return self.rows

        def fetchone(self) -> tuple[object, ...] | None:
            return self.rows[0] if self.rows else None

    def opened(_class: type, connection: object) -> object:
        connection.handle = SimpleNamespace(
            cursor=lambda: Cursor(connection), close=lambda: None, rollback=lambda: None, is_closed=lambda: False
        )
        connection.state = "open"
        return connection

    return mock.patch.object(SnowflakeConnectionManager, "open", classmethod(opened))


def _bigquery_connections(recorder: Recorder) -> mock._patch:
    from dbt.adapters.bigquery.connections import BigQueryConnectionManager
    from google.cloud.bigquery import SchemaField, Table, TimePartitioning
    from google.cloud.bigquery.table import TableListItem

    types = {"text": "STRING", "bigint": "INTEGER", "double precision": "FLOAT"}

    class Rows(list):
        schema: list[SchemaField]

    class Client:
        def __init__(self, connection: object) -> None:
            self.connection = connection

        def query(self, query: str, **_options: object) -> object:
            columns, rows = recorder.take(self.connection.name, query)
            found = Rows(dict(zip(columns, row, strict=True)) for row in rows)
            found.schema = [SchemaField(name, "STRING") for name in columns]
            return SimpleNamespace(
                result=lambda **_options: found, statement_type="SCRIPT", destination=None, location=None,
                job_id="0", project=None, total_bytes_processed=0, total_bytes_billed=0, slot_millis=0,
            )  # fmt: skip

        def get_table(self, reference: object) -> Table:
            columns = recorder.columns(reference.table_id)
            table = Table(reference, [SchemaField(name, types.get(kind, kind)) for name, kind in columns.items()])
            days = [name for name in ("usage_date_utc", "usage_date") if name in columns]
            if days and reference.table_id.startswith(("fct_", "entity_")):
                table.time_partitioning = TimePartitioning(field=days[0])
            return table

        def list_tables(self, dataset: object, **_options: object) -> list[TableListItem]:
            return [
                TableListItem({
                    "type": relation.kind.upper(),
                    "tableReference": {
                        "projectId": dataset.project, "datasetId": relation.schema, "tableId": relation.name,
                    },
                })
                for relation in recorder.existing(dataset.dataset_id)
            ]  # fmt: skip

        def list_datasets(self, *_arguments: object, **_options: object) -> list[object]:
            return []

        def load_table_from_file(self, file: BinaryIO, table: object, **_options: object) -> object:
            recorder.load(self.connection.name, table.table_id, file)
            return SimpleNamespace(result=lambda **_options: SimpleNamespace(state="DONE", error_result=None))

        def create_dataset(self, **_options: object) -> None: ...

        def update_table(self, *_arguments: object) -> None: ...

        def delete_table(self, *_arguments: object, **_options: object) -> None: ...

        def close(self) -> None: ...

    def opened(_class: type, connection: object) -> object:
        connection.handle = Client(connection)
        connection.state = "open"
        return connection

    return mock.patch.object(BigQueryConnectionManager, "open", classmethod(opened))


def dbt(
    warehouse: str,
    recorder: Recorder,
    folder: Path,
    command: Sequence[str],
    variables: Mapping[str, str],
    manifest: object = None,
) -> object:
    """What dbt answers to a command. RuntimeError with its faults where it does not end well."""
    from dbt.cli.main import dbtRunner

    seeds = {"LLM_SPEND_CONFIG_SEEDS": os.path.relpath(folder / "config", ROOT)}
    with recording(warehouse, recorder), mock.patch.dict(os.environ, seeds), redirect_stdout(StringIO()):
        ended = dbtRunner(manifest).invoke([
            *command, "--target", warehouse, "--vars", json.dumps(variables), "--threads", "1",
            "--project-dir", str(ROOT), "--profiles-dir", str(ROOT), "--quiet", "--no-use-colors",
            "--target-path", str(folder / "dbt"), "--log-path", str(folder / "logs"),
        ])  # fmt: skip
    if ended.exception:
        raise ended.exception
    if not ended.success:
        faults = [
            f"{result.node.name}: {result.message}" for result in ended.result if result.status in ("error", "fail")
        ]
        raise RuntimeError("\n".join(faults))
    return ended.result


def builds(warehouse: str, folder: Path, variables: Mapping[str, str]) -> dict[str, list[Statement]]:
    """What dbt sends when nothing is there yet, and when everything is."""
    manifest = dbt(warehouse, Recorder([]), folder, ["parse"], variables)
    relations = project_relations(manifest)
    sent = {}
    for name, all_exist in (("first", False), ("next", True)):
        recorder = Recorder(relations, all_exist)
        dbt(warehouse, recorder, folder, BUILD, variables)
        sent[name] = recorder.statements
    return sent


def compiled(warehouse: str, folder: Path, sql: str, variables: Mapping[str, str], manifest: object = None) -> str:
    """SQL with macros in it, as the warehouse would be asked it."""
    command = ["compile", "--no-introspect", "--inline", sql]
    return dbt(warehouse, Recorder([]), folder, command, variables, manifest).results[0].node.compiled_code


def project_relations(manifest: object) -> list[Relation]:
    """Every table and view that a build makes."""
    return [
        Relation(
            node.schema,
            node.name,
            "view" if node.config.materialized == "view" else "table",
            {column.name: column.data_type for column in node.columns.values() if column.data_type},
        )
        for node in manifest.nodes.values()
        if node.resource_type in ("model", "seed")
    ]
