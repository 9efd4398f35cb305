"""What a message says beside its incident: the figures of its day, and whether the numbers are old."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from llm_spend.alerts.incidents import Incident
from llm_spend.database import connect

STALE_AFTER = timedelta(hours=26)
"""A daily build may be two hours late."""

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
    cast(sum(spend.cost_usd) filter (where spend.usage_date = incidents.usage_date) as double) as daily_spend_usd,
    cast(
        sum(spend.input_tokens + spend.output_tokens) filter (where spend.usage_date = incidents.usage_date) as bigint
    ) as token_count,
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


def with_context(database: Path, incidents: Sequence[Incident], now: datetime) -> list[Incident]:
    """The incidents, with `day`, the entity's figures of the incident's last day, where the marts hold them, and with
    `stale_note` where data is missing or the last build was long before `now` (naive UTC)."""
    with connect(database, read_only=True) as connection:
        try:
            settings = dict(connection.execute("select setting, setting_value from marts.package_settings").fetchall())
            cursor = connection.execute(_DAYS, {"zone": settings["reporting_timezone"]})
        except duckdb.CatalogException:
            return list(incidents)
        columns = [column[0] for column in cursor.description[1:]]
        days = {row[0]: dict(zip(columns, map(_json_value, row[1:]), strict=True)) for row in cursor.fetchall()}
    note = _stale_note(incidents, datetime.fromisoformat(settings["as_of"]), now)
    return [
        {
            **incident,
            **({"day": days[incident["alert_id"]]} if incident["alert_id"] in days else {}),
            **({"stale_note": note} if note else {}),
        }
        for incident in incidents
    ]


def _stale_note(incidents: Sequence[Incident], as_of: datetime, now: datetime) -> str | None:
    missing = [one for one in incidents if one["rule_id"] == "data_stale" and one["status"] == "open"]
    if missing:
        since = missing[0]["window_start"][:16].replace("T", " ")
        return f"No new data since {since} UTC: what is missing may change this."
    return f"As of {as_of:%Y-%m-%d %H:%M} UTC, the last build." if now - as_of > STALE_AFTER else None


def _json_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
