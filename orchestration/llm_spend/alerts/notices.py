"""What people are told that is no incident: a run that failed, the weekly review. It goes by the same routes."""

from collections.abc import Iterable
from datetime import datetime

from llm_spend.alerts.incidents import Incident

FAILED_CHECKS, FAILED_RUNS, WEEKLY_REVIEW = "failed_checks", "failed_runs", "weekly_review"
"""Words that a route can name in the place of a rule."""


def notice(rule_id: str, about: str, severity: str, title: str, lines: Iterable[str], now: datetime) -> Incident:
    """A notice, told once for each `rule_id` and `about`. `now` is naive UTC."""
    return {
        "alert_id": f"{rule_id}:{about}",
        "rule_id": rule_id,
        "severity": severity,
        "entity_type": "total",
        "entity_id": "total",
        "owner": None,
        "opened_at": now.isoformat() + "Z",
        "title": title,
        "text": "\n".join(lines),
    }
