"""The published copy: the marts in a file of their own, so that readers and builds never wait for each other."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.paths import short
from llm_spend.replacing import copy_file, replacing
from llm_spend.writing import is_unfinished


@dataclass(frozen=True)
class PublishedCopy:
    """`as_of` is naive UTC; `size` in bytes."""

    path: Path
    as_of: datetime
    size: int


def published_path(database: Path) -> Path:
    """`llm_spend.published.duckdb` beside `llm_spend.duckdb`."""
    return database.with_name(f"{database.stem}.published.duckdb")


def publish(database: Path, to: Path | None = None, now: datetime | None = None) -> PublishedCopy:
    """Put a read-only copy of the schema `marts` in the place of the last one, all at once.

    The copy is made beside its place and swapped in when it is on disk: whoever has the last one open keeps it, whoever
    opens the file next gets the new one, and a publish that fails or is killed leaves the last one as it was. `now` is
    aware, by default the present. The caller holds `writing`. Raises UserError when there are no finished marts, or
    when `to` is some other file.
    """
    target = (to or published_path(database)).expanduser().absolute()
    if to:
        _require_replaceable(target, database)
    moment = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
    try:
        # Under the same name, for a view may say which database its tables are in.
        with replacing(target, database.name) as draft:
            as_of = copy_database(database, draft)
            _keep_marts(draft, moment, as_of)
            draft.chmod(0o444)
    except (OSError, duckdb.Error) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"{target} cannot be written, the last copy stands: {reason}", exit_code=1) from error
    return PublishedCopy(target, as_of, target.stat().st_size)


def _require_replaceable(target: Path, database: Path) -> None:
    if not target.exists():
        return
    if target.resolve() == database.resolve():
        raise UserError(f"--to {target}: that is the warehouse itself; name another file")
    try:
        with connect(target, read_only=True) as connection:
            connection.execute("select published_at from marts.published")
    except (UserError, duckdb.Error):
        raise UserError(f"--to {target}: this file is no published copy; name another one") from None


def copy_database(database: Path, draft: Path) -> datetime:
    """Copy the file while no other process can write it, and return the as_of of its marts.

    The caller holds `writing`. UserError when there are none.
    """
    if not database.exists():
        raise UserError(f"{database} does not exist: make it with llm-spend build --events")
    if database.with_name(f"{database.name}.wal").exists():
        with connect(database) as connection:
            connection.execute("checkpoint")
    with connect(database, read_only=True) as connection:
        if is_unfinished(connection):
            raise UserError(f"the last build of {short(database)} did not end well: build again first", exit_code=1)
        try:
            ((as_of,),) = connection.execute(
                "select cast(setting_value as timestamp) from marts.package_settings where setting = 'as_of'"
            ).fetchall()
        except duckdb.CatalogException:
            raise UserError(f"{database} holds no marts yet: run llm-spend build first") from None
        copy_file(database, draft)
    return as_of


def _keep_marts(draft: Path, published_at: datetime, as_of: datetime) -> None:
    """Drop what is neither a mart nor read by a view among the marts, and say from when the copy is."""
    with connect(draft) as connection:
        relations = _relations(connection)
        kept = _with_what_they_read({name for name in relations if name[0] == "marts"}, relations)
        for schema, name in relations.keys() - kept:
            kind = "view" if relations[schema, name] else "table"
            connection.execute(f'drop {kind} "{schema}"."{name}"')
        for schema in {schema for schema, _ in relations} - {schema for schema, _ in kept} - {"main"}:
            connection.execute(f'drop schema "{schema}" cascade')
        ((catalog,),) = connection.execute("select current_database()").fetchall()
        for one in kept:
            if relations[one]:
                descriptions = _descriptions(connection, *one)
                connection.execute(_anywhere(relations[one], catalog, relations))
                connection.execute(descriptions)
        connection.execute("create table marts.published (published_at timestamp, as_of timestamp)")
        connection.execute("insert into marts.published values (?, ?)", [published_at, as_of])
        connection.execute(
            "comment on table marts.published is 'One row: when this copy was made, and as of when its marts are.';"
            "comment on column marts.published.published_at is 'When this copy was made, UTC.';"
            "comment on column marts.published.as_of is 'As of when the marts are, UTC.'"
        )
        connection.execute("checkpoint")


def _relations(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], str]:
    """The SQL of each view, and nothing for a table, by schema and name."""
    rows = connection.execute(
        """
        select schema_name, view_name, sql from duckdb_views() where not internal
        union all
        select schema_name, table_name, '' from duckdb_tables() where not internal
        """
    ).fetchall()
    return {(schema, name): sql for schema, name, sql in rows}


def _descriptions(connection: duckdb.DuckDBPyConnection, schema: str, name: str) -> str:
    """The statements that describe a view and its columns, as it is described now; a view made anew has lost that."""
    rows = connection.execute(
        """
        select format('view "{}"."{}"', schema_name, view_name), replace(comment, '''', '''''') from duckdb_views()
        where schema_name = $1 and view_name = $2 and comment is not null
        union all
        select format('column "{}"."{}"."{}"', schema_name, table_name, column_name), replace(comment, '''', '''''')
        from duckdb_columns()
        where schema_name = $1 and table_name = $2 and comment is not null
        """,
        [schema, name],
    ).fetchall()
    return "".join(f"comment on {what} is '{said}';" for what, said in rows)


def _with_what_they_read(
    wanted: set[tuple[str, str]], relations: Mapping[tuple[str, str], str]
) -> set[tuple[str, str]]:
    """Views need what their SQL names, and what that names in turn."""
    named = {
        other
        for one in wanted
        for other in relations
        if re.search(rf'\b{re.escape(other[0])}"?\."?{re.escape(other[1])}\b', relations[one])
    }
    return wanted if named <= wanted else _with_what_they_read(wanted | named, relations)


def _anywhere(view_sql: str, catalog: str, relations: Iterable[tuple[str, str]]) -> str:
    """The statement that makes the view anew, good under any file name: DuckDB 1.4 writes that of the file into it."""
    for schema, name in relations:
        here = rf'(?<![\w."])"?{re.escape(catalog)}"?\.("?{re.escape(schema)}"?\."?{re.escape(name)}"?)(?!\w)'
        view_sql = re.sub(here, r"\1", view_sql)
    return view_sql.replace("CREATE VIEW", "create or replace view", 1)
