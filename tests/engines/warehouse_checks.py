"""What can be known of a warehouse's statements without the warehouse. Each check returns what it finds wrong."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlglot import exp, parse
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from offline import DATABASE, Statement

ROOT = Path(__file__).resolve().parents[2]
# What it cannot read it hands on as a command, which is a fault below.
logging.getLogger("sqlglot").setLevel(logging.ERROR)
Name = tuple[str, str]

DESCRIBES_COLUMNS = re.compile(r'\s*alter\s+(table|view)\s+\S+\s+alter\s+"\w+" comment \$\$', re.IGNORECASE)
"""Snowflake's comments on the columns of a table, which sqlglot cannot read."""

PARTITIONED_BY = {
    ("raw", "raw_usage_events"): "started_at",
    ("marts", "fct_llm_attempts"): "usage_date_utc",
    ("marts", "fct_daily_requests"): "usage_date",
    ("marts", "fct_daily_spend"): "usage_date",
    ("marts", "fct_hourly_spend"): "usage_date",
    ("marts", "entity_daily_spend"): "usage_date",
}
"""The large tables, and the column that tells their parts."""

READ_ALL_DAYS = {
    # find out which days a run must write, from a few columns
    "int_logged_models", "int_touched_days", "int_read_days",
    # the further attempts of a request may be of any later day
    "fct_daily_requests",
    # small tables about all days, written anew from a few columns
    "dim_model_prices", "dim_prompt_versions", "dim_tenants", "int_budget_days_spent", "budget_status",
    "retry_multipliers",
    "out_of_scope_spend", "tenant_daily_spend", "spend_coverage", "quarantined_events", "reported_cost_gaps",
    "unpriced_usage", "int_alert_evaluations", "int_prompt_versions_judged", "alerts", "cache_efficiency",
    "cost_per_successful_task", "entity_monthly_spend", "workflow_run_costs", "silent_model_changes",
    "int_tenants_summed", "weekly_review",
}  # fmt: skip
"""Models whose statements may read large tables whole in every run."""


@dataclass(frozen=True)
class Parsed:
    """A statement as sqlglot reads it, and for which of dbt's nodes it is."""

    node: str
    tree: exp.Expression


def parsed(statements: Iterable[Statement], dialect: str) -> tuple[list[Parsed], list[str]]:
    """Every statement as its dialect has it, and those that cannot be read."""
    read, faults = [], []
    for statement in statements:
        if DESCRIBES_COLUMNS.match(statement.sql):
            continue
        try:
            trees = [without_descriptions(tree) for tree in parse(statement.sql, read=dialect) if tree]
        except Exception as error:
            faults.append(f"{statement.node}: {str(error).splitlines()[0]}")
            continue
        read += [Parsed(statement.node, tree) for tree in trees]
        unknown = [tree.sql() for tree in trees if isinstance(tree, exp.Command) and tree.name.lower() != "show"]
        faults += [f"{statement.node}: {sql[:80]}" for sql in unknown]
    return read, faults


def without_descriptions(tree: exp.Expression) -> exp.Expression:
    """A view without the list of its columns and what they mean: its query says which they are."""
    if isinstance(tree, exp.Create) and tree.kind == "VIEW" and isinstance(tree.this, exp.Schema):
        tree.set("this", tree.this.this)
    return tree


def unlike(statements: Iterable[Parsed], dialect: str) -> list[str]:
    """Columns that no relation has, and, where the dialect minds, comparisons of unlike types."""
    schema = MappingSchema(dialect=dialect)
    landing = parse((ROOT / "docs" / "landing" / f"{dialect}.sql").read_text(encoding="utf-8"), read=dialect)
    for tree in landing:
        if tree and tree.kind == "TABLE":
            _learn(schema, tree, {}, dialect)
    faults = []
    for statement in statements:
        tree = statement.tree
        is_relation = isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW")
        query = tree.expression if is_relation else tree
        types = {}
        if isinstance(query, exp.Query):
            try:
                query = annotate_types(qualify(query.copy(), schema=schema, dialect=dialect), schema, dialect=dialect)
            except Exception as error:
                faults.append(f"{statement.node}: {str(error).splitlines()[0]}")
                continue
            types = {column.alias_or_name: column.type.sql(dialect) for column in query.selects}
            if dialect == "bigquery":
                faults += [f"{statement.node}: {found.sql(dialect)[:200]}" for found in _unlike_comparisons(query)]
        if is_relation:
            _learn(schema, tree, types, dialect)
    return faults


def _learn(schema: MappingSchema, create: exp.Create, types: Mapping[str, str], dialect: str) -> None:
    table = create.find(exp.Table)
    if isinstance(create.this, exp.Schema):
        columns = [column for column in create.this.expressions if isinstance(column, exp.ColumnDef)]
        types = {column.name: column.args["kind"].sql(dialect) for column in columns}
    schema.add_table(exp.table_(table.name, table.db, table.catalog or DATABASE), types, dialect=dialect)


def _unlike_comparisons(query: exp.Expression) -> Iterator[exp.Expression]:
    for comparison in query.find_all(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE):
        kinds = {_kind(side) for side in (comparison.left, comparison.right)} - {"NULL"}
        # a bare text becomes what it is compared with
        is_day = any(isinstance(side, exp.Literal) for side in (comparison.left, comparison.right)) and "text" in kinds
        if len(kinds) > 1 and not (is_day and kinds & {"DATE", "TIMESTAMP", "TIMESTAMPTZ"}):
            yield comparison


def _kind(side: exp.Expression) -> str:
    kind = side.type.this
    if kind in exp.DataType.NUMERIC_TYPES:
        return "number"
    return "text" if kind in exp.DataType.TEXT_TYPES else kind.name


def written_in_halves(statements: Iterable[Parsed]) -> list[str]:
    """Nodes that delete rows or insert them outside of a transaction."""
    faults, is_open = [], False
    for statement in statements:
        if isinstance(statement.tree, exp.Transaction | exp.Commit):
            is_open = isinstance(statement.tree, exp.Transaction)
        elif isinstance(statement.tree, exp.Delete | exp.Insert) and not is_open:
            faults.append(f"{statement.node}: {statement.tree.sql()[:80]}")
    return faults


def read_whole(statements: Iterable[Parsed]) -> list[str]:
    """Models that read or write a large table without dates in the SQL that say which part of it, behind views too."""
    statements = list(statements)
    views = {
        _name(statement.tree.find(exp.Table)): statement.tree.expression
        for statement in statements
        if isinstance(statement.tree, exp.Create) and statement.tree.kind == "VIEW"
    }
    found = {
        (statement.node.removeprefix("model.llm_spend."), table)
        for statement in statements
        if statement.node.startswith("model.")
        for table in _whole_tables(statement.tree, views)
    }
    return [f"{model} reads {table}" for model, table in sorted(found) if model not in READ_ALL_DAYS]


def _name(table: exp.Table) -> Name:
    return table.db.lower(), table.name.lower()


def _whole_tables(tree: exp.Expression, views: Mapping[Name, exp.Expression]) -> Iterator[str]:
    query = tree
    if isinstance(tree, exp.Merge | exp.Delete):
        # what is merged lies in a table of its own
        if (column := PARTITIONED_BY.get(_name(tree.this))) and not _says(_which_rows(tree), column):
            yield _name(tree.this)[1]
        return
    if isinstance(tree, exp.Create | exp.Insert):
        query = tree.expression if getattr(tree, "kind", None) != "VIEW" else None
    # dbt asks for the columns of a query by `where false`
    if not isinstance(query, exp.Query) or _says(query.args.get("where"), "nothing"):
        return
    query = query.copy()
    while seen := [table for table in query.find_all(exp.Table) if table.db and _name(table) in views]:
        for table in seen:
            alias = exp.TableAlias(this=exp.to_identifier(table.alias_or_name))
            table.replace(exp.Subquery(this=views[_name(table)].copy(), alias=alias))
    scopes = traverse_scope(query)
    for scope in scopes:
        for alias, (_, source) in scope.selected_sources.items():
            column = PARTITIONED_BY.get(_name(source)) if isinstance(source, exp.Table) else None
            if column and not _is_limited(scope, alias, column, scopes):
                yield source.name.lower()


def _which_rows(tree: exp.Merge | exp.Delete) -> exp.Expression | None:
    if isinstance(tree, exp.Delete):
        return tree.args.get("where")
    deletes = [when for when in tree.args["whens"].expressions if isinstance(when.args["then"], exp.Var)]
    return deletes[0].args.get("condition") if deletes else exp.false()


def _is_limited(scope: Scope, alias: str, column: str, scopes: list[Scope]) -> bool:
    """Do dates limit a column of one of a scope's sources, there or in everything that reads the scope?"""
    select = scope.expression
    if not isinstance(select, exp.Select):
        return False
    conditions = [select.args.get("where")]
    conditions += [join.args.get("on") for join in select.args.get("joins") or [] if not join.side]
    if any(_says(condition, column, alias) for condition in conditions):
        return True
    if any(select.args.get(part) for part in ("group", "distinct", "limit")) or select.find(exp.Window):
        return False
    handed_on = _handed_on(select, alias, column)
    readers = _readers(scope, handed_on, scopes) if handed_on else []
    return bool(readers) and all(_is_limited(*reader, scopes) for reader in readers)


def _handed_on(select: exp.Select, alias: str, column: str) -> str | None:
    """What a select calls a column of one of its sources, if it hands it on as it is."""
    for projection in select.expressions:
        inner = projection.unalias()
        if isinstance(inner, exp.Star) or (projection.is_star and inner.table == alias):
            return column
        if _is_column(inner, column, alias):
            return projection.alias_or_name.lower()
    return None


def _readers(scope: Scope, column: str, scopes: list[Scope]) -> list[tuple[Scope, str, str]]:
    """Who reads a scope, by which name of it and of its column; of a part of a union, who reads that."""
    if scope.is_set_operation:
        return _readers(scope.parent, column, scopes)
    return [
        (reader, name, column)
        for reader in scopes
        for name, (_, source) in reader.selected_sources.items()
        if isinstance(source, Scope) and source.expression is scope.expression
    ]


def _says(condition: exp.Expression | None, column: str, alias: str = "") -> bool:
    """Must the column lie within dates that stand there, for the condition to hold?"""
    match condition:
        case exp.Where() | exp.Paren():
            return _says(condition.this, column, alias)
        case exp.And():
            return _says(condition.left, column, alias) or _says(condition.right, column, alias)
        case exp.Or():
            return _says(condition.left, column, alias) and _says(condition.right, column, alias)
        case exp.In():
            days = condition.expressions
            return _is_column(condition.this, column, alias) and bool(days) and all(map(_is_literal, days))
        case exp.GTE() | exp.GT() | exp.LTE() | exp.LT() | exp.EQ():
            return _is_column(condition.left, column, alias) and _is_literal(condition.right)
        case exp.Boolean():
            return not condition.this
    return False


def _is_column(expression: exp.Expression, column: str, alias: str) -> bool:
    is_it = isinstance(expression, exp.Column) and expression.name.lower() == column
    return is_it and (not alias or expression.table in ("", alias))


def _is_literal(expression: exp.Expression) -> bool:
    return isinstance(expression.this if isinstance(expression, exp.Cast) else expression, exp.Literal)
