"""What can be known of a warehouse's statements without the warehouse: see each check."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp, parse
from sqlglot.optimizer.scope import Scope, traverse_scope

from offline import Statement

Name = tuple[str, str]
PARTITIONED_BY = {
    ("raw", "raw_usage_events"): "started_at",
    ("marts", "fct_llm_attempts"): "usage_date_utc",
    ("marts", "fct_daily_requests"): "usage_date",
    ("marts", "fct_daily_spend"): "usage_date",
    ("marts", "fct_hourly_spend"): "usage_date",
    ("marts", "entity_daily_spend"): "usage_date",
}
"""The large tables, and the column that tells their parts."""


@dataclass(frozen=True)
class Parsed:
    node: str
    tree: exp.Expression


def parsed(statements: list[Statement], dialect: str) -> tuple[list[Parsed], list[str]]:
    """Every statement as its dialect reads it, and what cannot be read."""
    read, faults = [], []
    for statement in statements:
        try:
            read += [Parsed(statement.node, tree) for tree in parse(statement.sql, read=dialect) if tree]
        except Exception as error:  # noqa: BLE001
            faults.append(f"{statement.node}: {str(error).splitlines()[0]}")
    return read, faults


def name_of(table: exp.Table) -> Name:
    return table.db.lower(), table.name.lower()


def views_of(statements: list[Parsed]) -> dict[Name, exp.Expression]:
    """The query behind each view."""
    made = [parsed.tree for parsed in statements if isinstance(parsed.tree, exp.Create) and parsed.tree.kind == "VIEW"]
    return {name_of(tree.find(exp.Table)): tree.expression for tree in made}


def unpruned_reads(statement: Parsed, views: Mapping[Name, exp.Expression]) -> set[str]:
    """Large tables that a statement reads or writes without dates in its SQL that say which part, behind views too."""
    tree = statement.tree
    if isinstance(tree, exp.Create):
        tree = tree.expression if tree.kind == "TABLE" else None
    found = set()
    if isinstance(tree, exp.Merge | exp.Delete) and name_of(tree.this) in PARTITIONED_BY:
        conditions = [when.args.get("condition") for when in tree.args["whens"]] if isinstance(tree, exp.Merge) else [tree.args.get("where")]
        column = PARTITIONED_BY[name_of(tree.this)]
        if not any(condition and _says(condition, column) for condition in conditions):
            found.add(name_of(tree.this)[1])
    query = tree if isinstance(tree, exp.Query) else tree and tree.find(exp.Query)
    if query:
        found |= set(_unpruned_scans(_with_views_inside(query, views)))
    return found


def _with_views_inside(query: exp.Expression, views: Mapping[Name, exp.Expression]) -> exp.Expression:
    query = query.copy()
    while tables := [table for table in query.find_all(exp.Table) if table.db and name_of(table) in views]:
        for table in tables:
            inside = exp.Subquery(this=views[name_of(table)].copy(), alias=exp.to_identifier(table.alias_or_name))
            inside.set("alias", exp.TableAlias(this=exp.to_identifier(table.alias_or_name)))
            table.replace(inside)
    return query


def _unpruned_scans(query: exp.Expression) -> Iterator[str]:
    scopes = traverse_scope(query)
    for scope in scopes:
        for alias, (_, source) in scope.selected_sources.items():
            if isinstance(source, exp.Table) and (column := PARTITIONED_BY.get(name_of(source))):
                if not _is_pruned(scope, alias, column, scopes):
                    yield source.name


def _is_pruned(scope: Scope, alias: str, column: str, scopes: list[Scope]) -> bool:
    """Do dates limit a column of one of a scope's sources, there or in everything that reads the scope?"""
    select = scope.expression
    if not isinstance(select, exp.Select):
        return False
    conditions = [select.args["where"].this] if select.args.get("where") else []
    conditions += [join.args["on"] for join in select.args.get("joins") or [] if join.args.get("on") and not join.side]
    if any(_says(condition, column, alias) for condition in conditions):
        return True
    if any(select.args.get(part) for part in ("group", "distinct", "limit")) or select.find(exp.Window):
        return False
    passed_on = _passed_on(select, alias, column)
    readers = _readers(scope, passed_on, scopes) if passed_on else None
    return bool(readers) and all(_is_pruned(reader, name, known_as, scopes) for reader, name, known_as in readers)


def _passed_on(select: exp.Select, alias: str, column: str) -> str | None:
    """What a select calls a column of one of its sources, if it hands it on as it is."""
    for projection in select.expressions:
        inner = projection.unalias()
        if projection.is_star and (isinstance(inner, exp.Star) or inner.table == alias):
            return column
        if isinstance(inner, exp.Column) and inner.name.lower() == column and inner.table in ("", alias):
            return projection.alias_or_name.lower()
    return None


def _readers(scope: Scope, column: str, scopes: list[Scope]) -> list[tuple[Scope, str, str]]:
    """Who reads a scope, under which name; through a union, who reads that."""
    if scope.is_set_operation:
        return _readers(scope.parent, column, scopes)
    return [
        (reader, name, column)
        for reader in scopes
        for name, (_, source) in reader.selected_sources.items()
        if isinstance(source, Scope) and source.expression is scope.expression
    ]


def _says(condition: exp.Expression, column: str, alias: str = "") -> bool:
    """Must the column lie within dates that stand there, for the condition to hold?"""
    condition = condition.this if isinstance(condition, exp.Where | exp.Paren) else condition
    if isinstance(condition, exp.Where | exp.Paren):
        return _says(condition, column, alias)
    if isinstance(condition, exp.And):
        return _says(condition.left, column, alias) or _says(condition.right, column, alias)
    if isinstance(condition, exp.Or):
        return _says(condition.left, column, alias) and _says(condition.right, column, alias)
    if isinstance(condition, exp.EQ) and condition.left.is_number and condition.right.is_number:
        return condition.left != condition.right
    if isinstance(condition, exp.GTE | exp.GT | exp.LTE | exp.LT | exp.EQ):
        return _is_column(condition.left, column, alias) and _is_literal(condition.right)
    if isinstance(condition, exp.In):
        return _is_column(condition.this, column, alias) and bool(condition.expressions) and all(map(_is_literal, condition.expressions))
    return isinstance(condition, exp.Boolean) and not condition.this


def _is_column(expression: exp.Expression, column: str, alias: str) -> bool:
    return isinstance(expression, exp.Column) and expression.name.lower() == column and expression.table in ("", alias or expression.table)


def _is_literal(expression: exp.Expression) -> bool:
    return isinstance(expression.this if isinstance(expression, exp.Cast) else expression, exp.Literal)
