"""A warehouse that nobody can start, its statements translated to DuckDB's SQL and run there.

It shows whether the package does the right thing in the warehouse's words, as sqlglot understands them; not what the
warehouse itself would answer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import duckdb
from sqlglot import exp, parse

from offline import DATABASE, Answer, Recorder, Relation
from warehouse_checks import without_descriptions

STANDING_IN = {
    # DuckDB has no decimal of 38 digits before and 38 behind the point, and keeps all digits of a product by itself.
    "bigquery": {"bigquery__type_decimal": "default__type_decimal"},
    "snowflake": {"snowflake__product": "default__product"},
}
"""Macros that DuckDB cannot follow, and what stands in for them."""

NAMES_OF_TYPES = {"varchar": "text", "double": "double precision"}


@dataclass
class Translated(Recorder):
    """Runs statements on a DuckDB file, and knows what is there."""

    dialect: str = ""
    connection: duckdb.DuckDBPyConnection | None = None

    def existing(self, schema: str) -> list[Relation]:
        query = "select table_name, table_type from information_schema.tables where table_schema = ?"
        found = self.connection.execute(query, [schema.lower()]).fetchall()
        return [Relation(schema.lower(), name, "view" if kind == "VIEW" else "table", {}) for name, kind in found]

    def columns(self, name: str) -> dict[str, str]:
        query = (
            "select column_name, lower(data_type) from information_schema.columns "
            "where table_name = ? and table_schema != 'raw' order by ordinal_position"
        )
        found = self.connection.execute(query, [name.lower().strip('"')]).fetchall()
        known = {column: NAMES_OF_TYPES.get(kind, kind.replace(",", ", ")) for column, kind in found}
        return known or dict(super().columns(name))

    def take(self, node: str, sql: str) -> Answer:
        columns, rows = [], []
        for tree in parse(sql, read=self.dialect):
            for statement in _translated(tree, self.dialect) if tree else ():
                found = self.connection.execute(statement)
                if isinstance(tree, exp.Query):
                    columns, rows = [column[0] for column in found.description], found.fetchall()
        return columns, rows

    def load(self, node: str, table: str, file: BinaryIO) -> None:
        query = f"insert into {DATABASE}.raw.{table} select * from read_csv(?, header = true, all_varchar = true)"
        self.connection.execute(query, [file.name])


def _translated(tree: exp.Expression, dialect: str) -> Iterator[str]:
    if isinstance(tree, exp.Alter | exp.Command | exp.Comment | exp.Describe | exp.Show):
        return
    tree = without_descriptions(tree)
    if dialect == "bigquery":
        # there it answers a date
        tree = tree.transform(lambda part: exp.cast(part, "date") if isinstance(part, exp.DateAdd) else part)
    if isinstance(tree, exp.Create):
        tree.set("properties", None)
    if isinstance(tree, exp.Create) and isinstance(tree.this, exp.Schema) and tree.expression:
        table = tree.this.this
        made, written = f"{table.db}.{table.name}", f"{table.db}.{table.name}__written"
        columns = [f"{column.name} {column.args['kind'].sql('duckdb')}" for column in tree.this.expressions]
        yield f"create or replace table {written} ({', '.join(columns)})"
        yield f"insert into {written} {tree.expression.unnest().sql('duckdb')}"
        yield f"drop table if exists {made}"
        yield f"alter table {written} rename to {table.name}"
        return
    if isinstance(tree, exp.Create) and tree.kind == "SCHEMA":
        tree.set("exists", True)
    if isinstance(tree, exp.Drop):
        tree.set("cascade", False)
    if isinstance(tree, exp.Insert) and tree.args.get("overwrite"):
        tree.set("overwrite", False)
        yield f"delete from {tree.find(exp.Table).sql('duckdb')}"
    yield tree.sql("duckdb")
