"""The incidents of `marts.alerts` as plain JSON data."""

import json
import math
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from llm_spend.database import connect
from llm_spend.errors import UserError

Incident = dict[str, Any]
"""One row of `marts.alerts`, every column by name. Times are ISO 8601 text ending in Z, money is exact decimal text,
`evidence` is an object."""


def read_incidents(database: Path) -> list[Incident]:
    """Every incident, open and resolved, in one short read-only connection. UserError when the mart is not built."""
    if not database.exists():
        raise UserError(f"{database} does not exist: make it with llm-spend build --events")
    with connect(database, read_only=True) as connection:
        try:
            cursor = connection.execute("select * from marts.alerts order by opened_at, alert_id")
        except duckdb.CatalogException as error:
            raise UserError(f"{database} holds no marts.alerts yet: run llm-spend build first", exit_code=1) from error
        columns = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
    return [_incident(dict(zip(columns, row, strict=True))) for row in rows]


def is_page(incident: Incident) -> bool:
    """Is somebody woken? Children are told of by their parent, and info comes in a digest."""
    return incident.get("is_page", True)


def _incident(row: dict[str, object]) -> Incident:
    incident = {column: _json_value(value) for column, value in row.items()}
    return {**incident, "evidence": _evidence(incident["evidence"])}


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _evidence(text: str | None) -> object:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {"text": text}
