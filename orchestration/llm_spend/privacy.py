"""Takes a user out of the warehouse. What the user cost stays, under a name that nobody can trace back."""

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from llm_spend.database import STORAGE_VERSION, connect
from llm_spend.errors import UserError
from llm_spend.replacing import copy_file, replacing

_SAID_BY = {
    "entity_id": "entity_type",
    "entity_name": "entity_type",
    "scope_id": "scope_type",
    "alias": "identity_type",
    "canonical_id": "identity_type",
}
"""Columns that hold users among others, and the column that says so."""

_USERS = {"user_id", "user", "end_user"}
"""Columns that hold users only: ours, and LiteLLM's."""

_FREE_TEXTS = {
    *("raw_text", "tags", "evidence", "quarantine_reason", "reason"),
    # what other systems let an application write beside a call
    *("metadata", "request_tags", "span_attributes", "resource_attributes", "properties"),
}
"""Columns whose text may name anybody."""


@dataclass(frozen=True)
class Forgotten:
    """The name that stands for the user now, and how many rows of each table changed."""

    replacement: str
    rows: dict[str, int]


def forget(database: Path, user_ids: set[str]) -> Forgotten:
    """Put one random name in the place of a user's ids in every table, and write the file anew.

    A name made from an id could be made again by whoever knows the id; a random one could not. The file is written anew
    because a changed row leaves the old one in it. Rows, dollars and tokens stay as they were, and so do the marts
    after a full refresh, for the raw events change too. The caller holds `writing`. UserError when no table knows the
    user.
    """
    if not database.exists():
        raise UserError(f"{database} does not exist: name the warehouse with --db")
    replacement = f"forgotten-{secrets.token_hex(8)}"
    if database.with_name(f"{database.name}.wal").exists():
        with connect(database) as connection:
            connection.execute("checkpoint")
    with replacing(database, database.name) as draft:
        changed = draft.with_name("changed") / database.name
        changed.parent.mkdir()
        with connect(database, read_only=True):
            copy_file(database, changed)
        with connect(changed) as connection:
            rows = {}
            for user_id in sorted(user_ids):
                for table, count in _replace_everywhere(connection, user_id, replacement):
                    rows[table] = rows.get(table, 0) + count
        if not rows:
            raise UserError(f"no table of {database} knows the user {' or '.join(sorted(user_ids))}", exit_code=1)
        with duckdb.connect() as connection:
            name = database.stem
            connection.execute(f"attach '{_quoted(changed)}' as \"{name}\" (read_only)")
            connection.execute(f"attach '{_quoted(draft)}' as anew (storage_version '{STORAGE_VERSION}')")
            connection.execute(f'copy from database "{name}" to anew')
    return Forgotten(replacement, rows)


def _replace_everywhere(connection: duckdb.DuckDBPyConnection, user_id: str, name: str) -> Iterator[tuple[str, int]]:
    word = rf"(^|[^A-Za-z0-9_.@-]){re.escape(user_id)}($|[^A-Za-z0-9_.@-])"
    texts = connection.execute(
        """
        select schema_name, table_name, list(column_name)
        from duckdb_columns() join duckdb_tables() using (database_name, schema_name, table_name)
        where data_type = 'VARCHAR' and not duckdb_columns.internal group by all order by all
        """
    ).fetchall()
    for schema, table, columns in texts:
        changes = {}
        for column in columns:
            if column in _USERS:
                changes[column] = ("$name", f'"{column}" = $user_id')
            elif _SAID_BY.get(column) in columns:
                changes[column] = ("$name", f"{column} = $user_id and {_SAID_BY[column]} = 'user'")
            elif column in _FREE_TEXTS:
                # twice, for two in a row share the sign between them
                value = column
                for _ in range(2):
                    value = f"regexp_replace({value}, $word, '\\1' || $name || '\\2', 'g')"
                changes[column] = (value, f"regexp_matches({column}, $word)")
        for column, (value, condition) in changes.items():
            given = {"user_id": user_id, "name": name, "word": word}
            sql = f'update "{schema}"."{table}" set "{column}" = {value} where {condition}'
            used = {key: given[key] for key in given if f"${key}" in sql}
            ((count,),) = connection.execute(sql, used).fetchall()
            if count:
                yield f"{schema}.{table}", count


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
