"""The thresholds of the owner's documents as they stand there, on the same warehouse: what the rules are compared with.

Five times the average hour of the last seven days; a quarter more than the day before; three times the median day of
the last seven. No weekday, no robust scale, no sample.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from statistics import median

import duckdb
from alert_scoring import Alert, Entity

Series = Mapping[datetime, float]
"""Dollars by the start of an hour or a day; what is missing cost nothing."""

WEEK = timedelta(days=7)
HOURLY_FACTOR, DAILY_FACTOR, WEEKLY_FACTOR = 5.0, 1.25, 3.0

SPEND = {
    timedelta(hours=1): "select '{type}', {column}, usage_hour, sum(cost_usd) from marts.fct_hourly_spend"
    " where is_in_scope group by 2, 3",
    timedelta(days=1): "select '{type}', {column}, usage_date, sum(cost_usd) from marts.fct_daily_spend"
    " where is_in_scope group by 2, 3",
}
COLUMNS = {"total": "'total'", "tenant": "tenant_id", "endpoint": "endpoint_tag", "workflow": "workflow_id"}


def hourly(spend: Series, hour: datetime) -> float:
    """What an hour may cost."""
    return HOURLY_FACTOR * sum(spend.get(hour - timedelta(hours=nth), 0.0) for nth in range(1, 169)) / 168


def day_over_day(spend: Series, day: datetime) -> float:
    """What a day may cost."""
    return DAILY_FACTOR * spend.get(day - timedelta(days=1), 0.0)


def week_median(spend: Series, day: datetime) -> float:
    """What a day may cost."""
    return WEEKLY_FACTOR * median(spend.get(day - timedelta(days=nth), 0.0) for nth in range(1, 8))


Limit = Callable[[Series, datetime], float]
PLAIN_RULES: tuple[tuple[str, timedelta, tuple[str, ...], Limit], ...] = (
    ("hourly_spend_spike", timedelta(hours=1), ("total", "tenant", "endpoint"), hourly),
    ("daily_spend_jump", timedelta(days=1), ("total", "tenant", "endpoint"), day_over_day),
    ("week_over_week_outlier", timedelta(days=1), ("tenant", "workflow"), week_median),
)


def plain_alerts(connection: duckdb.DuckDBPyConnection) -> Iterator[Alert]:
    """What the plain thresholds would have paged over the whole log."""
    for rule_id, step, entity_types, limit in PLAIN_RULES:
        for entity, spend in read_spend(connection, step, entity_types).items():
            yield from incidents(rule_id, entity, spend, step, limit)


def read_spend(
    connection: duckdb.DuckDBPyConnection, step: timedelta, entity_types: tuple[str, ...]
) -> dict[Entity, dict[datetime, float]]:
    series: dict[Entity, dict[datetime, float]] = {}
    for entity_type in entity_types:
        rows = connection.execute(SPEND[step].format(type=entity_type, column=COLUMNS[entity_type])).fetchall()
        for *entity, at, dollars in rows:
            start = datetime(at.year, at.month, at.day, getattr(at, "hour", 0))
            series.setdefault((entity[0], entity[1]), {})[start] = float(dollars)
    return series


def incidents(rule_id: str, entity: Entity, spend: Series, step: timedelta, limit: Limit) -> Iterator[Alert]:
    """Firing periods in a row are one incident. The first week of an entity has no past to compare with."""
    opened: datetime | None = None
    period_type = "hourly" if step < timedelta(days=1) else "daily"
    period, last = min(spend) + WEEK, max(spend)
    while period <= last + step:
        allowed = limit(spend, period)
        fires = allowed > 0 and spend.get(period, 0.0) > allowed
        if fires and opened is None:
            opened, first_allowed = period, allowed
        elif not fires and opened is not None:
            yield Alert(
                rule_id,
                entity,
                opened,
                period,
                opened + step,
                period_type,
                value=spend[opened],
                baseline=first_allowed,
                dollars=spend[opened] - first_allowed,
            )
            opened = None
        period += step
