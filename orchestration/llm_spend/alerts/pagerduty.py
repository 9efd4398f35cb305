"""Events for PagerDuty's Events API v2. The fingerprint is the `dedup_key`: one page per rule and entity."""

import json
from datetime import datetime

from llm_spend.alerts.messages import details, one_line, title
from llm_spend.alerts.news import Event
from llm_spend.alerts.outbox import Row

SUMMARY_LENGTH = 1024
NAME_LENGTH = 255
EVENT_BYTES = 512 * 1024

ACTIONS: dict[Event, str] = {
    "opened": "trigger",
    "escalated": "trigger",
    "acknowledged": "acknowledge",
    "resolved": "resolve",
    "withdrawn": "resolve",
}
"""What is told there; the rest is no page."""


def event(row: Row, routing_key: str) -> dict[str, object]:
    """One event; a trigger says all, its end only which."""
    action = ACTIONS[row.event]
    head = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": one_line(row.incident["fingerprint"], NAME_LENGTH),
    }
    return {**head, **_payload(row)} if action == "trigger" else head


def trial(routing_key: str, summary: str, moment: datetime) -> list[dict[str, object]]:
    """A page of the lowest severity, and its end."""
    head = {"routing_key": routing_key, "dedup_key": f"llm-spend-trial-{moment:%Y%m%d%H%M%S}"}
    payload = {"summary": summary, "source": "llm-spend", "severity": "info"}
    return [{**head, "event_action": "trigger", "payload": payload}, {**head, "event_action": "resolve"}]


def _payload(row: Row) -> dict[str, object]:
    incident = row.incident
    payload = {
        "summary": one_line(title(row.event, incident), SUMMARY_LENGTH),
        "source": one_line(incident["entity_id"] or incident["entity_type"], NAME_LENGTH),
        "severity": incident["severity"] if incident["severity"] in ("critical", "warning", "info") else "error",
        "timestamp": incident["opened_at"],
        "component": one_line(incident["entity_type"], NAME_LENGTH),
        "group": one_line(incident["owner"] or "nobody yet", NAME_LENGTH),
        "class": one_line(incident["rule_id"], NAME_LENGTH),
        "custom_details": dict(details(row.event, incident)),
    }
    if len(json.dumps(payload).encode()) > EVENT_BYTES // 2:
        del payload["custom_details"]
    return {"client": "llm-spend", "payload": payload}
