"""What a channel must hear next: what it was last told, against what the mart says now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from llm_spend.alerts.incidents import Incident, urgency
from llm_spend.alerts.routing import Silence

Event = Literal["opened", "escalated", "reminder", "acknowledged", "resolved", "past", "withdrawn", "notice"]
"""`past`: opened and resolved before it could be delivered. `withdrawn`: delivered, then removed by late data.
`notice`: no incident at all, but something about a run or a report."""

State = Literal["open", "resolved", "absent"]
"""What the mart says of an incident now."""

INFO = "info"
"""The severity that disturbs nobody: once a day, in one message."""

OPENINGS: frozenset[Event] = frozenset({"opened", "past", "escalated", "reminder"})
"""What routes and silences decide about. The end of what a channel was told of always follows."""

_WHILE_OPEN: dict[State, Event] = {"resolved": "resolved", "absent": "withdrawn"}
_NEWS: dict[Event | None, dict[State, Event]] = {
    None: {"open": "opened", "resolved": "past"},
    "opened": _WHILE_OPEN,
    "escalated": _WHILE_OPEN,
    "reminder": _WHILE_OPEN,
    "acknowledged": _WHILE_OPEN,
    "resolved": {"open": "opened", "absent": "withdrawn"},
    "past": {"open": "opened", "absent": "withdrawn"},
    "withdrawn": {"open": "opened", "resolved": "past"},
}


@dataclass(frozen=True)
class Heard:
    """The last message that arrived, or may have."""

    event: Event
    severity: str
    at: datetime


@dataclass(frozen=True)
class Standing:
    """What bears on one incident in one channel beside the mart: a route leads there and it pages (`is_wanted`), after
    which time it is told again, who silenced it, and whether its acknowledgement is still to be told."""

    is_wanted: bool = True
    repeat: timedelta | None = None
    silence: Silence | None = None
    is_acknowledged: bool = False
    acknowledgement_is_news: bool = False


def news(told: Event | None, state: State) -> Event | None:
    """What someone who was last told `told` must hear, or None when that is still true."""
    return _NEWS[told].get(state)


def state_of(incident: Incident | None) -> State:
    """The mart's word, or that the mart no longer knows it."""
    return incident["status"] if incident else "absent"


def next_event(heard: Heard | None, incident: Incident | None, standing: Standing, now: datetime) -> Event | None:
    """The next message, or None. An incident that stays open is news again when it got more severe, when somebody took
    it, or, while nobody did, after the interval of its route."""
    changed = news(heard.event if heard else None, state_of(incident))
    if changed or not heard or not incident or incident["status"] != "open":
        return changed
    if urgency(incident["severity"]) < urgency(heard.severity):
        return "escalated"
    if standing.is_acknowledged:
        return "acknowledged" if standing.acknowledgement_is_news else None
    is_due = standing.repeat and incident["severity"] != INFO and heard.at + standing.repeat <= now
    return "reminder" if is_due else None
