"""The incidents of `marts.alerts` as plain JSON data."""

import json
import math
from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from llm_spend.database import connect
from llm_spend.errors import UserError

SEVERITIES = ("critical", "warning", "info")
MATCHED = ("severity", "rule_id", "entity_type", "entity_id", "owner")
"""What routes and silences may ask for."""

Incident = dict[str, Any]
"""One row of `marts.alerts`, every column by name. Times are ISO 8601 text ending in Z, money is exact decimal text,
`evidence` is an object. `below` names the incidents of the same cause that are not told on their own, the most severe
first: the columns that routes match."""


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
    incidents = [_incident(dict(zip(columns, row, strict=True))) for row in rows]
    below = defaultdict(list)
    for incident in sorted(incidents, key=lambda each: urgency(each["severity"])):
        below[incident.get("parent_alert_id")].append({name: incident[name] for name in MATCHED})
    return [{**incident, "below": below[incident["alert_id"]]} for incident in incidents]


def urgency(severity: object) -> int:
    """0 is the most severe; a word that is not known is the least."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


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
