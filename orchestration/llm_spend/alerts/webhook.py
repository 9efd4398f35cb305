"""The body of the generic webhook, and its signature."""

import hashlib
import hmac
import json
from collections.abc import Sequence

from llm_spend.alerts.incidents import Incident
from llm_spend.alerts.messages import one_line, plain
from llm_spend.alerts.outbox import Row

TIMESTAMP_HEADER = "X-LLM-Spend-Timestamp"
SIGNATURE_HEADER = "X-LLM-Spend-Signature"
DELIVERY_HEADER = "X-LLM-Spend-Delivery"
"""The same for every try of one message: who saw it before has it already."""

_COLUMNS = (
    "alert_id", "fingerprint", "rule_id", "severity", "status", "entity_type", "entity_id", "period_type", "metric",
    "window_start", "window_end", "opened_at", "last_seen_at", "resolved_at", "observed_value", "baseline_value",
    "threshold_value", "change_percent", "impact_usd", "owner", "acknowledged_by", "stale_note", "evidence",
    "below",
)  # fmt: skip


def incident_body(row: Row) -> dict[str, object]:
    """One incident: the short fields that dashboards and chat bots ask for, then all columns under `incident`."""
    incident, day = row.incident, row.incident.get("day") or {}
    evidence = incident["evidence"] if isinstance(incident["evidence"], dict) else {}
    is_agent = incident["entity_type"] == "agent"
    return {
        "event": row.event,
        "anomaly_detected": row.event not in ("resolved", "withdrawn"),
        "alert_type": incident["rule_id"],
        "agent_id": _clean(incident["entity_id"] if is_agent else evidence.get("top_agent")),
        "usage_date": day.get("usage_date"),
        "daily_spend_usd": day.get("daily_spend_usd"),
        "token_count": day.get("token_count"),
        "most_expensive_model": _clean(day.get("most_expensive_model")),
        "baseline_cost_per_mtok": day.get("baseline_cost_per_mtok"),
        "current_cost_per_mtok": day.get("current_cost_per_mtok"),
        "change_percent": incident["change_percent"],
        "likely_cause": _clean(incident["likely_cause"]),
        "recommended_action": _clean(incident["recommended_action"]),
        "alerts": [_alert(incident)],
        "incident": {column: _clean(incident.get(column)) for column in _COLUMNS},
    }


def list_body(heading: str, rows: Sequence[Row]) -> dict[str, object]:
    """Incidents that need no message of their own."""
    return {"event": "list", "heading": heading, "incidents": [incident_body(row) for row in rows]}


def signed_headers(secret: str, body: bytes, delivery: str, timestamp: int) -> dict[str, str]:
    """Headers that prove who sent these bytes, and when: HMAC-SHA-256 over the timestamp, a full stop and the body.

    `timestamp` are seconds since 1970.
    """
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {TIMESTAMP_HEADER: str(timestamp), SIGNATURE_HEADER: f"v1={digest}", DELIVERY_HEADER: _header(delivery)}


def encoded(body: object) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(body, separators=(",", ":")).encode()


def _alert(incident: Incident) -> dict[str, object]:
    """Threshold and present value, in USD where the metric is an amount."""
    unit = "usd" if incident["metric"].rpartition("_")[2] in ("cost", "usd", "spend") else "value"
    return {
        "type": incident["rule_id"],
        f"threshold_{unit}": incident["threshold_value"],
        f"current_{unit}": incident["observed_value"],
        "severity": incident["severity"],
    }


def _clean(value: object) -> object:
    """Text of others stays text wherever it is pasted; numbers stay numbers."""
    if isinstance(value, str):
        return plain(one_line(value, 2000))
    if isinstance(value, list):
        return [_clean(part) for part in value]
    if isinstance(value, dict):
        return {key: _clean(part) for key, part in value.items()}
    return value


def _header(text: str) -> str:
    return "".join(character if character.isascii() and character.isprintable() else "?" for character in text)
