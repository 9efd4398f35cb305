"""Bills in a database, as `llm-spend ingest` leaves them, without fetching any."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from pathlib import Path

import duckdb

from llm_spend.bills.tables import PERIODS, Row, Table

_SQL = {"text": "varchar", "date": "date", "count": "bigint", "amount": "decimal(38, 18)", "flag": "boolean"}


def land(database: Path, table: Table, rows: Iterable[Mapping[str, object]], known_from: datetime) -> None:
    """Rows of a bill, known from one moment on; `_dlt_valid_from` and `_dlt_valid_to` of a row say otherwise."""
    names = [*table.kinds, "_dlt_valid_from", "_dlt_valid_to"]
    columns = ", ".join(f"{name} {_SQL[kind]}" for name, kind in table.kinds.items())
    with duckdb.connect(str(database)) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("create schema if not exists raw")
        connection.execute(
            f"create table if not exists raw.{table.name}"
            f" ({columns}, _dlt_valid_from timestamptz, _dlt_valid_to timestamptz)"
        )
        for row in rows:
            values: Row = {"_dlt_valid_from": known_from, **row}
            unknown = values.keys() - set(names)
            assert not unknown, unknown
            connection.execute(
                f"insert into raw.{table.name} values ({', '.join('?' for _ in names)})", [*map(values.get, names)]
            )


def mark_fetched(database: Path, provider: str, days: Iterable[date], at: datetime) -> None:
    """Days whose reports were all fetched at one moment, UTC."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("create schema if not exists raw")
        connection.execute(
            f"create table if not exists raw.{PERIODS}"
            " (provider varchar, report varchar, usage_date date, fetched_at timestamp)"
        )
        for day in days:
            for report in ("usage", "costs"):
                connection.execute(f"insert into raw.{PERIODS} values (?, ?, ?, ?)", [provider, report, day, at])


def midnight(day: date) -> datetime:
    return datetime.combine(day, time())
