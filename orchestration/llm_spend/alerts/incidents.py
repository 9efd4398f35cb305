"""The incidents of `marts.alerts` as plain JSON data."""

import json
import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from llm_spend.database import connect
from llm_spend.errors import UserError

STALE_AFTER = timedelta(hours=26)
"""A daily build may be two hours late."""

Incident = dict[str, Any]
"""One row of `marts.alerts`, every column by name. Times are ISO 8601 text ending in Z, money is exact decimal text,
`evidence` is an object. Where it is known, `day` holds the entity's figures of the incident's last day, and
`stale_note` says that the numbers are old."""

_DAYS = """
with incidents as (
    select
        alert_id, entity_type, entity_id,
        cast(timezone($zone, timezone('UTC', window_end - interval 1 second)) as date) as usage_date
    from marts.alerts
)
select
    incidents.alert_id,
    any_value(incidents.usage_date) as usage_date,
    sum(spend.cost_usd) filter (where spend.usage_date = incidents.usage_date) as daily_spend_usd,
    sum(spend.input_tokens + spend.output_tokens) filter (where spend.usage_date = incidents.usage_date) as token_count,
    max(spend.most_expensive_model) filter (where spend.usage_date = incidents.usage_date) as most_expensive_model,
    daily_spend_usd * 1000000 / nullif(token_count, 0) as current_cost_per_mtok,
    sum(spend.cost_usd) filter (where spend.usage_date < incidents.usage_date) * 1000000 / nullif(
        sum(spend.input_tokens + spend.output_tokens) filter (where spend.usage_date < incidents.usage_date), 0
    ) as baseline_cost_per_mtok
from incidents
inner join marts.entity_daily_spend as spend
    on incidents.entity_type = spend.entity_type
    and incidents.entity_id = spend.entity_id
    and spend.usage_date between incidents.usage_date - 7 and incidents.usage_date
group by incidents.alert_id
"""
"""The incident's last day, and the cost of a million tokens on the seven days before."""


def read_incidents(database: Path, now: datetime) -> list[Incident]:
    """Every incident, open and resolved, in one short read-only connection. UserError when the mart is not built.

    `now` is naive UTC: long after the marts' `as_of` every incident says so.
    """
    with connect(database, read_only=True) as connection:
        try:
            rows = _objects(connection, "select * from marts.alerts order by opened_at, alert_id")
        except duckdb.CatalogException as error:
            raise UserError(f"{database} holds no marts.alerts yet: run llm-spend build first", exit_code=1) from error
        settings, days = _settings(connection), {}
        if settings:
            found = _objects(connection, _DAYS, {"zone": settings["reporting_timezone"]})
            days = {day.pop("alert_id"): day for day in found}
    note = _stale_note(rows, datetime.fromisoformat(settings["as_of"]) if settings else now, now)
    beside = {"stale_note": note} if note else {}
    return [_incident(row, days.get(row["alert_id"]), beside) for row in rows]


def _objects(connection: duckdb.DuckDBPyConnection, sql: str, values: object = None) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, values)
    columns = [column[0] for column in cursor.description]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _settings(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    try:
        found = connection.execute("select setting, setting_value from marts.package_settings").fetchall()
    except duckdb.CatalogException:
        return {}
    return dict(found)


def _stale_note(rows: list[dict[str, Any]], as_of: datetime, now: datetime) -> str | None:
    stale = next((row for row in rows if row["rule_id"] == "data_stale" and row["status"] == "open"), None)
    if stale:
        return f"No new data since {stale['window_start']:%Y-%m-%d %H:%M} UTC: what is missing may change this."
    return f"Judged from {as_of:%Y-%m-%d %H:%M} UTC, the last build." if now - as_of > STALE_AFTER else None


def _incident(row: dict[str, Any], day: dict[str, Any] | None, beside: dict[str, str]) -> Incident:
    incident = {column: _json_value(value) for column, value in row.items()}
    figures = {"day": {name: _json_value(value) for name, value in day.items()}} if day else {}
    return {**incident, "evidence": _evidence(incident["evidence"]), **figures, **beside}


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
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
