"""The planted rows that no pipeline should accept, and the labels that document what was planted."""

from collections import Counter
from datetime import datetime

from llm_spend.demo import incidents
from llm_spend.demo.incidents import Incident

# Reason to what makes the row contradict the contract.
QUARANTINED_ROWS: dict[str, dict[str, object]] = {
    "missing_required_field": {"model": None},
    "negative_count": {"output_tokens": -300},
    "part_larger_than_whole": {"cached_input_tokens": 5_000},
    "timestamp_before_2020": {"started_at": "1970-01-21 03:14:07.000000"},
    "timestamp_in_future": {"started_at": "2062-10-04 09:00:00.000000"},
    "number_too_large": {"input_tokens": 1_200_000_000_000},
    "unknown_usage_key": {"other_usage": '{"gpu_seconds": 12}'},
    "unknown_status": {"status": "finished"},
    "unknown_environment": {"environment": "production-eu"},
    "unknown_data_mode": {"data_mode": "synthetic"},
    "unknown_user_type": {"user_type": "robot"},
}

# (reason, the line as it stood in the log).
REJECTED_LINES = (
    (
        "invalid json",
        '{"event_id": "evt-r1", "started_at": "2026-09-09T11:02:44Z", "model": "gpt-4.1", "input_tokens": 51',
    ),
    (
        "input_tokens is not a whole number: '?'",
        '{"event_id": "evt-r2", "started_at": "2026-09-22T16:40Z", "model": "gpt-5", "input_tokens": "?"}',
    ),
    (
        "started_at is not a timestamp: 'yesterday'",
        '{"event_id": "evt-r3", "started_at": "yesterday", "model": "gpt-4o-mini", "input_tokens": 900}',
    ),
)


def planted_incidents(sizes: Counter[tuple[str, str]], as_of: datetime, scale: float) -> list[tuple[object, ...]]:
    """One label for each incident that the log really holds, with its size as drawn; `scale` is the log's own.

    Columns: incident_id, kind, entity_type, entity_id, starts_at, ends_at, metric, expected_value, unit,
    description.
    """
    measured: list[tuple[Incident, object, dict[str, object]]] = []

    def add(incident: Incident, expected_value: object, **facts: object) -> None:
        measured.append((incident, expected_value, facts))

    def of(incident: Incident, measure: str) -> float:
        return sizes[incident.incident_id, measure]

    before = of(incidents.PROMPT_REGRESSION, "before_requests")
    after = of(incidents.PROMPT_REGRESSION, "after_requests")
    if before and after:
        cost_before = of(incidents.PROMPT_REGRESSION, "before_cost") / before
        cost_after = of(incidents.PROMPT_REGRESSION, "after_cost") / after
        change = (cost_after / cost_before - 1) * 100
        size = round((incidents.V4_SIZE - 1) * 100)
        add(incidents.PROMPT_REGRESSION, size, change=change, before=before, after=after)
    if of(incidents.NEUTRAL_RELEASE, "requests"):
        add(incidents.NEUTRAL_RELEASE, 0)
    if requests := of(incidents.RETRY_STORM, "requests"):
        attempts = of(incidents.RETRY_STORM, "attempts")
        add(incidents.RETRY_STORM, f"{attempts / requests:.6f}", attempts=attempts, requests=requests)
    if requests := of(incidents.BACKLOG_DAY, "requests"):
        add(incidents.BACKLOG_DAY, requests, requests=requests, cost=of(incidents.BACKLOG_DAY, "cost"))
        spent, budget = of(incidents.BUDGET_NEARLY_SPENT, "cost"), incidents.SUPPORT_BOT_DAILY_USD * scale
        add(incidents.BUDGET_NEARLY_SPENT, f"{spent:.2f}", cost=spent, budget=budget, share=spent / budget)
    if calls := of(incidents.RUNAWAY_LOOP, "calls"):
        add(incidents.RUNAWAY_LOOP, calls, cost=of(incidents.RUNAWAY_LOOP, "cost"))
    if attempts := of(incidents.CACHE_LOSS, "billed"):
        hit_rate = of(incidents.CACHE_LOSS, "before_hits") / max(of(incidents.CACHE_LOSS, "before_billed"), 1)
        add(incidents.CACHE_LOSS, of(incidents.CACHE_LOSS, "cached"), attempts=attempts, hit_rate=hit_rate)
    if october := of(incidents.UNPROFITABLE_TENANT, "cost"):
        add(incidents.UNPROFITABLE_TENANT, "49.00", cost=october)
    if rows := of(incidents.REDELIVERIES, "rows"):
        add(incidents.REDELIVERIES, rows, corrected=of(incidents.REDELIVERIES, "corrected"))
    for incident, measure in (
        (incidents.SILENT_SWITCH, "billed"),
        (incidents.TEST_AS_PRODUCTION, "attempts"),
        (incidents.NEW_ID_PER_RETRY, "attempts"),
        (incidents.USAGE_MISSING, "attempts"),
        (incidents.ENDPOINT_RENAME, "attempts"),
        (incidents.TENANT_MERGE, "attempts"),
        (incidents.LATE_ROWS, "rows"),
        (incidents.QUARANTINE, "rows"),
    ):
        if count := of(incident, measure):
            add(incident, count)
    add(incidents.REJECTED, len(REJECTED_LINES))

    return [
        (
            incident.incident_id,
            incident.kind,
            incident.entity_type,
            incident.entity_id,
            incident.starts_at.isoformat(" ", "microseconds"),
            min(incident.ends_at or as_of, as_of).isoformat(" ", "microseconds"),
            incident.metric,
            expected_value,
            incident.unit,
            incident.description.format(**facts),
        )
        for incident, expected_value, facts in sorted(measured, key=lambda planted: planted[0].starts_at)
    ]
