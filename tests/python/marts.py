"""What the marts of a warehouse hold, as text that can be compared."""

from collections.abc import Set
from pathlib import Path

import duckdb

WHEN_WRITTEN = {"day_version"}
"""Columns that say how a row came to be, not what it says."""

LOGS = {"price_restatements", "focus_price_corrections", "published"}
"""Tables that record runs: two ways to the same numbers differ there."""


def contents(database: Path, but: Set[str] = WHEN_WRITTEN) -> dict[str, list[str]]:
    """Table of schema marts → its rows, sorted, without the columns `but`; floats to nine significant digits."""
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = connection.execute(
            "select table_name, column_name from information_schema.columns"
            " where table_schema = 'marts' order by table_name, ordinal_position"
        ).fetchall()
        tables = {table: [name for of, name in columns if of == table and name not in but] for table, _ in columns}
        return {
            table: sorted(
                repr(tuple(map(_comparable, row)))
                for row in connection.execute(f"select {', '.join(names)} from marts.{table}").fetchall()
            )
            for table, names in tables.items()
            if table not in LOGS
        }


def differences(one: Path, another: Path) -> dict[str, tuple[list[str], list[str]]]:
    """Table → some rows that only the one, and only the other warehouse has."""
    ours, theirs = contents(one), contents(another)
    return {
        table: (_only(ours, theirs, table), _only(theirs, ours, table))
        for table in sorted(ours.keys() | theirs.keys())
        if ours.get(table) != theirs.get(table)
    }


def _only(ours: dict[str, list[str]], theirs: dict[str, list[str]], table: str) -> list[str]:
    return sorted(set(ours.get(table, [])) - set(theirs.get(table, [])))[:2]


def _comparable(value: object) -> object:
    return float(f"{value:.9g}") if isinstance(value, float) else value
