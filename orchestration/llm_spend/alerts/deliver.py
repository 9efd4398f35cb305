"""Tells every channel what is new in `marts.alerts`, at least once, and the same thing not twice."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from llm_spend.alerts.channels import Channel
from llm_spend.alerts.incidents import read_incidents
from llm_spend.alerts.outbox import Outbox, Outcome, Row, open_outbox
from llm_spend.paths import target_dir

HISTORY_AFTER = timedelta(days=2)
"""A daily run that missed a day still tells in full what began and ended in between."""
HISTORY_LINES = 15

_SEVERITIES = ("critical", "warning", "info")


@dataclass(frozen=True)
class ChannelReport:
    """`sent`: events delivered by this run. `pending`, `dead`: events that the outbox holds for this channel now.

    `last_error` is the newest reason of an event that did not arrive: an exception class or an HTTP status.
    """

    name: str
    sent: int
    pending: int
    dead: int
    last_error: str | None = None


@dataclass(frozen=True)
class DeliveryReport:
    """What became of each channel, in the order given."""

    channels: tuple[ChannelReport, ...]

    @property
    def is_complete(self) -> bool:
        """Nothing waits and nothing was refused."""
        return not any(channel.pending or channel.dead for channel in self.channels)

    @property
    def dead(self) -> int:
        """Events that a channel refused for good; they stay until a person removes their rows from the outbox."""
        return sum(channel.dead for channel in self.channels)


def default_outbox() -> Path:
    """Under DAGSTER_HOME when set, else in the target directory."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home).expanduser() / "llm_spend_outbox.sqlite" if home else target_dir() / "alerts" / "outbox.sqlite"


def deliver(database: Path, outbox: Path, channels: Sequence[Channel], now: datetime) -> DeliveryReport:
    """Queue what is new for every channel, then send what waits, the most severe first.

    `now` is aware, or naive UTC. Every row is committed before anything is sent, and the warehouse is closed by then.
    A channel that fails keeps its rows for the next run and does not stop the others. Raises UserError when the
    warehouse or the outbox cannot be read, or another delivery holds the outbox.
    """
    moment = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    with open_outbox(outbox) as box:
        incidents = read_incidents(database)
        for channel in channels:
            box.queue(incidents, str(database.resolve()), channel.name, moment)
        return DeliveryReport(tuple(_send_waiting(box, channel, moment) for channel in channels))


def _send_waiting(box: Outbox, channel: Channel, now: datetime) -> ChannelReport:
    messages = _messages(box.pending(channel.name), now)
    sent = 0
    for rows in messages[: channel.messages_per_run]:
        box.claim(rows)
        outcome = _attempt(_send, channel, rows, now)
        box.settle(rows, outcome, now)
        if outcome.status == "pending":
            break
        sent += len(rows) if outcome.status == "sent" else 0
    else:
        left = sum(len(rows) for rows in messages[channel.messages_per_run :]) if channel.messages_per_run else 0
        if left:
            _attempt(channel.send_remainder, left)
    return _report(channel.name, sent, box.unsent(channel.name))


def _send(channel: Channel, rows: Sequence[Row], now: datetime) -> Outcome:
    return channel.send_history(rows, now) if _is_history(rows[0], now) else channel.send(rows[0], now)


def _attempt(send: Callable[..., Outcome], *arguments: object) -> Outcome:
    """A channel that breaks is a channel that is down: its text may hold a secret, so only its class is kept."""
    try:
        return send(*arguments)
    except Exception as error:
        return Outcome("pending", type(error).__name__)


def _messages(rows: Sequence[Row], now: datetime) -> list[list[Row]]:
    """Rows that go out together: each alone, the most severe first; then what was over long ago, in lists."""
    ordered = sorted(rows, key=_urgency)
    history = sorted((row for row in ordered if _is_history(row, now)), key=lambda row: row.incident["opened_at"])
    return [
        *([row] for row in ordered if not _is_history(row, now)),
        *(history[start : start + HISTORY_LINES] for start in range(0, len(history), HISTORY_LINES)),
    ]


def _urgency(row: Row) -> tuple[int, str, int]:
    severity = row.incident["severity"]
    rank = _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)
    return rank, row.incident["opened_at"], row.id


def _is_history(row: Row, now: datetime) -> bool:
    return row.event == "past" and datetime.fromisoformat(row.incident["resolved_at"][:19]) < now - HISTORY_AFTER


def _report(name: str, sent: int, unsent: Sequence[Row]) -> ChannelReport:
    reasons = [row.last_error for row in unsent if row.last_error]
    dead = sum(row.status == "dead" for row in unsent)
    return ChannelReport(name, sent, len(unsent) - dead, dead, reasons[-1] if reasons else None)
