"""Tells every channel what is new in `marts.alerts`, at least once, and the same thing not twice."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from llm_spend.alerts.channels import Channel, channels
from llm_spend.alerts.context import with_context
from llm_spend.alerts.incidents import Incident, read_incidents, urgency
from llm_spend.alerts.messages import digest_heading, history_heading, more
from llm_spend.alerts.news import INFO
from llm_spend.alerts.outbox import Outbox, Outcome, Row, open_outbox
from llm_spend.alerts.routing import NO_ROUTING, Routing, Silence, read_routing
from llm_spend.alerts.store import OUTBOX_URL_VARIABLE, Place
from llm_spend.errors import UserError
from llm_spend.paths import target_dir

HISTORY_AFTER = timedelta(days=2)
"""A daily run that missed a day still tells in full what began and ended in between."""
LIST_LINES = 15
FAILURES_IN_A_ROW = 3
"""One message that a service cannot digest must not hold up all others; after three the service itself is down."""

_ENDS = ("resolved", "withdrawn")


@dataclass(frozen=True)
class ChannelReport:
    """`sent`: events delivered by this run. `pending`, `dead`: events that the outbox holds for this channel now; of
    those that wait, `held` only wait for the next digest and are not counted as pending. `silenced`: kept from it by
    silences, ever.

    `last_error` is the newest reason of an event that did not arrive: an exception class or an HTTP status.
    """

    name: str
    sent: int
    pending: int
    dead: int
    last_error: str | None = None
    held: int = 0
    silenced: int = 0


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
        """Events that a channel refused for good; they stay until `llm-spend alerts deliver --retry-dead`."""
        return sum(channel.dead for channel in self.channels)


def alerts_dir() -> Path:
    """Where the outbox and `alerts.jsonl` are: DAGSTER_HOME when set, else below the target directory."""
    home = os.environ.get("DAGSTER_HOME")
    return Path(home).expanduser() if home else target_dir() / "alerts"


def default_outbox() -> Place:
    """The Postgres of LLM_SPEND_OUTBOX_URL when set, else a SQLite file."""
    url = os.environ.get(OUTBOX_URL_VARIABLE, "").strip()
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise UserError(f"{OUTBOX_URL_VARIABLE} is no postgresql:// address: correct it, or unset it to use a file")
    return url or alerts_dir() / ("llm_spend_outbox.sqlite" if os.environ.get("DAGSTER_HOME") else "outbox.sqlite")


def configured(
    database: Path, console: Console, environment: Mapping[str, str] = os.environ
) -> tuple[Routing, list[Channel]]:
    """The routes and silences of the last build, and the channels they name."""
    routing = read_routing(database)
    return routing, channels(routing.routes, environment, console, alerts_dir() / "alerts.jsonl")


def deliver_configured(database: Path, console: Console, now: datetime) -> DeliveryReport:
    """Deliver to the channels that are configured, from the outbox of this place."""
    routing, to = configured(database, console)
    return deliver(database, default_outbox(), to, now, routing)


def deliver(
    database: Path,
    outbox: Place,
    channels: Sequence[Channel],
    now: datetime,
    routing: Routing = NO_ROUTING,
) -> DeliveryReport:
    """Queue what is new for every channel, then send what waits, the most severe first.

    `now` is aware, or naive UTC. Every row is committed before anything is sent, and the warehouse is closed by then.
    A channel that fails keeps its rows for the next run and does not stop the others. Raises UserError when the
    warehouse or the outbox cannot be read, or another delivery holds the outbox.
    """
    moment = naive(now)
    with open_outbox(outbox) as box:
        incidents = with_context(database, read_incidents(database), moment)
        for channel in channels:
            silences: Sequence[Silence] = () if channel.is_record else [*routing.silences, *box.silences(moment)]
            routes = Routing(routing.routes, silences)
            box.queue(incidents, str(database.resolve()), channel.name, moment, routes, channel.takes)
        _spread(box, channels, routing, moment)
        return DeliveryReport(tuple(_send_waiting(box, channel, moment) for channel in channels))


def notify(notice: Incident, database: Path, console: Console, now: datetime) -> None:
    """Tell a notice once to every channel that takes it: write it down, then send what waits.

    A warehouse in use, a channel that is down and a delivery under way leave it to the next delivery.
    """
    moment, outbox = naive(now), default_outbox()
    with open_outbox(outbox, wait_seconds=None) as box:
        box.notify(notice, moment)
    try:
        routing, to = configured(database, console)
        with open_outbox(outbox, wait_seconds=1) as box:
            _spread(box, to, routing, moment)
            for channel in to:
                _send_waiting(box, channel, moment)
    except UserError as error:
        if error.exit_code != 1:
            raise


def _spread(box: Outbox, channels: Sequence[Channel], routing: Routing, now: datetime) -> None:
    def listeners(notice: Incident) -> list[str]:
        takers = [channel.name for channel in channels if channel.takes("notice", None, notice["severity"])]
        return [name for name in takers if routing.of(name, notice) is not None]

    box.spread(listeners, now)


def naive(now: datetime) -> datetime:
    """The same moment in naive UTC."""
    return now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now


def _send_waiting(box: Outbox, channel: Channel, now: datetime) -> ChannelReport:
    pause = box.pause(channel.name)
    if pause.not_before and pause.not_before > now:
        return _report(box, channel, 0, now)
    is_digest_day = not pause.digest_at or pause.digest_at.date() < now.date()
    messages = _messages(box.pending(channel.name), channel, is_digest_day, now)
    limit = channel.messages_per_run or len(messages)
    wait = 60 / channel.messages_per_minute if channel.messages_per_minute else 0
    sent, failures, stuck = 0, 0, set()
    for message in messages[:limit]:
        groups = {_group(row) for row in message.rows}
        if groups & stuck:
            continue  # what follows in its story must not overtake it
        if sent or failures:
            time.sleep(wait)
        box.claim(message.rows)
        outcome = _attempt(message.send, channel, now)
        box.settle(message.rows, outcome, now)
        if outcome.status == "pending":
            failures, stuck = failures + 1, stuck | groups
            if failures == FAILURES_IN_A_ROW or outcome.retry_after is not None:
                break
            continue
        failures = 0
        box.works(channel.name, now if message.ends_digest else None)
        sent += len(message.rows) if outcome.status == "sent" else 0
    if failures:
        box.failed(channel.name, outcome.retry_after, now)
    elif left := sum(len(message.rows) for message in messages[limit:]):
        time.sleep(wait)
        _attempt(lambda channel, now: channel.send_text(more(left), "", now), channel, now)
    return _report(box, channel, sent, now)


@dataclass(frozen=True)
class _Message:
    """Rows that go out together, and how."""

    rows: Sequence[Row]
    send: Callable[[Channel, datetime], Outcome]
    ends_digest: bool = False


def _attempt(send: Callable[[Channel, datetime], Outcome], channel: Channel, now: datetime) -> Outcome:
    """A channel that breaks is a channel that is down: its text may hold a secret, so only its class is kept."""
    try:
        return send(channel, now)
    except Exception as error:
        return Outcome("pending", type(error).__name__)


def _messages(rows: Sequence[Row], channel: Channel, is_digest_day: bool, now: datetime) -> list[_Message]:
    """Each row alone, the most severe first; then what was over long ago, and the digest, in lists."""
    ordered = _by_urgency(rows)
    history = sorted((row for row in ordered if _is_history(row, now)), key=lambda row: row.incident["opened_at"])
    news = [row for row in ordered if not _is_history(row, now)]
    digest = [row for row in news if _is_for_digest(row, channel)]
    alone = [row for row in news if not _is_for_digest(row, channel)]
    return [
        *(_Message([row], _sending(row)) for row in alone),
        *_lists(history, history_heading),
        *(_lists(digest, digest_heading, is_digest=True) if is_digest_day else []),
    ]


def _sending(row: Row) -> Callable[[Channel, datetime], Outcome]:
    if row.event == "notice":
        return lambda channel, now: channel.send_text(row.incident["title"], row.incident["text"], now)
    return lambda channel, now: channel.send(row, now)


def _lists(rows: Sequence[Row], heading: Callable[[int], str], is_digest: bool = False) -> list[_Message]:
    def sending(part: Sequence[Row]) -> Callable[[Channel, datetime], Outcome]:
        return lambda channel, now: channel.send_list(heading(len(part)), part, now)

    parts = [rows[start : start + LIST_LINES] for start in range(0, len(rows), LIST_LINES)]
    return [_Message(part, sending(part), is_digest and part is parts[-1]) for part in parts]


def _by_urgency(rows: Sequence[Row]) -> list[Row]:
    """The most severe first; of one rule and entity first the end of an incident, then the next one's beginning, for
    services that know both by one key."""
    keys: dict[str, tuple[int, str]] = {}
    for row in rows:
        key = urgency(row.incident["severity"]), row.incident["opened_at"]
        keys[_group(row)] = min(key, keys.get(_group(row), key))
    return sorted(rows, key=lambda row: (*keys[_group(row)], _group(row), row.event not in _ENDS, row.id))


def _group(row: Row) -> str:
    return row.incident.get("fingerprint") or row.alert_id


def _is_for_digest(row: Row, channel: Channel) -> bool:
    return channel.has_digest and row.event != "notice" and row.incident["severity"] == INFO


def _is_history(row: Row, now: datetime) -> bool:
    return row.event == "past" and datetime.fromisoformat(row.incident["resolved_at"][:19]) < now - HISTORY_AFTER


def _report(box: Outbox, channel: Channel, sent: int, now: datetime) -> ChannelReport:
    unsent = box.unsent(channel.name)
    dead = sum(row.status == "dead" for row in unsent)
    held = sum(row.status == "pending" and _is_for_digest(row, channel) for row in unsent)
    reasons = [row.last_error for row in unsent if row.last_error]
    silenced = box.silenced(channel.name)
    return ChannelReport(
        channel.name, sent, len(unsent) - dead - held, dead, reasons[-1] if reasons else None, held, silenced
    )
