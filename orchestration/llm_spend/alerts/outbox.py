"""What each channel was told, and what waits to be told."""

import json
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from llm_spend.alerts.incidents import Incident
from llm_spend.alerts.news import OPENINGS, Event, Heard, Standing, news, next_event, state_of
from llm_spend.alerts.routing import NO_ROUTING, Matcher, Route, Routing, Silence, repeat_hours
from llm_spend.alerts.store import LOCK_WAIT_SECONDS, Place, Store, open_store

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
"""A channel that is down is left alone twice as long after each run."""
MOST_PATIENCE_SECONDS = 6 * 3600
"""Whatever a service asks for: a wrong Retry-After must not silence it."""


@dataclass(frozen=True)
class Outcome:
    """What became of one try. `error` is an exception class or an HTTP status: an address or header is never kept.

    `retry_after` are the seconds that the service asked for.
    """

    status: Literal["sent", "pending", "dead"]
    error: str | None = None
    retry_after: float | None = None


SENT = Outcome("sent")


@dataclass(frozen=True)
class Row:
    """A row of the outbox: one event of one incident for one channel. A higher `id` is later news."""

    id: int
    alert_id: str
    event: Event
    warehouse: str
    incident: Incident
    status: str
    attempts: int
    last_error: str | None
    created_at: str
    sent_at: str | None

    @property
    def key(self) -> str:
        """The same for every try of this message."""
        return f"{self.alert_id}:{self.event}:{self.created_at}"


@dataclass(frozen=True)
class Acknowledgement:
    """Who took an incident, and when."""

    by: str
    note: str | None
    at: datetime


@dataclass(frozen=True)
class Pause:
    """How often in a row a channel was down, until when it is left alone, and when it had its last digest."""

    failures: int = 0
    not_before: datetime | None = None
    digest_at: datetime | None = None


_NOT_ROUTED = "*"

Takes = Callable[[Event, Event | None, str], bool]
"""Whether a channel has a message for an event, when it last heard another, of an incident of such a severity."""


class Outbox:
    """An open outbox. Each method commits before it returns."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def queue(
        self,
        incidents: Sequence[Incident],
        warehouse: str,
        channel: str,
        now: datetime,
        routing: Routing = NO_ROUTING,
        takes: Takes = lambda _event, _heard, _severity: True,
    ) -> None:
        """Put what is new into the outbox as pending rows for one channel, or as silenced ones.

        Only the warehouse that reported an incident can withdraw it.
        """
        current = {incident["alert_id"]: incident for incident in incidents}
        histories, taken = self._histories(channel), self.acknowledgements()
        with self._store.transaction():
            for alert_id in [*current, *(histories.keys() - current.keys())]:
                history, incident = histories[alert_id], current.get(alert_id)
                if not incident and history[-1].warehouse != warehouse:
                    continue
                if incident and alert_id in taken:
                    incident = {**incident, "acknowledged_by": taken[alert_id].by}
                routes = routing.of(channel, incident) if incident else None
                standing = _standing(incident, history, routes, routing.silences, taken.get(alert_id), now)
                self._queue_one(alert_id, incident, history, standing, warehouse, channel, now, takes)

    def _queue_one(
        self,
        alert_id: str,
        incident: Incident | None,
        history: list[Row],
        standing: Standing,
        warehouse: str,
        channel: str,
        now: datetime,
        takes: Takes,
    ) -> None:
        told = next((row for row in reversed(history) if row.status == "sent"), None)
        waiting = next((row for row in history if row.status == "pending"), None)
        # A row that was tried may have arrived: a crash can fall between sending and marking.
        tried = waiting if waiting and waiting.attempts else None
        is_opening = waiting and not tried and waiting.event in OPENINGS
        is_kept = not is_opening or (standing.is_wanted and not standing.silence)
        latest = incident or history[-1].incident
        payload = json.dumps(latest)
        if waiting and is_kept and news(waiting.event, state_of(incident)) is None:
            self._store.run("update outbox set payload = ? where id = ?", payload, waiting.id)
            return
        heard = _heard(tried or told)
        event = next_event(heard, incident, standing, now)
        if waiting:
            self._store.run("delete from outbox where id = ?", waiting.id)
        refused = {row.event for row in history if row.status == "dead" and (told is None or row.id > told.id)}
        if not event or event in refused or not takes(event, heard and heard.event, latest.get("severity", "")):
            return
        if event in OPENINGS and not standing.is_wanted:
            return
        if event == "past" and any(row.status == "silenced" for row in history):
            return  # what began and ended in a silence is on record, and no news
        silence = standing.silence if event in OPENINGS else None
        attempts = tried.attempts if tried else 0
        self._insert(alert_id, event, channel, warehouse, payload, silence, attempts, now)

    def notify(self, notice: Incident, now: datetime) -> None:
        """Put a notice into the outbox, once for its `alert_id`; `spread` decides who hears it."""
        if not self._rows("channel = ? and alert_id = ?", _NOT_ROUTED, notice["alert_id"]):
            with self._store.transaction():
                self._insert(notice["alert_id"], "notice", _NOT_ROUTED, "", json.dumps(notice), None, 0, now)

    def spread(self, listeners: Callable[[Incident], Sequence[str]], now: datetime) -> None:
        """Give each new notice to the channels that `listeners` names for it."""
        for row in self.pending(_NOT_ROUTED):
            with self._store.transaction():
                for channel in listeners(row.incident):
                    self._insert(row.alert_id, "notice", channel, "", json.dumps(row.incident), None, 0, now)
                self._store.run("update outbox set status = 'sent', sent_at = ? where id = ?", now.isoformat(), row.id)

    def _insert(
        self,
        alert_id: str,
        event: Event,
        channel: str,
        warehouse: str,
        payload: str,
        silence: Silence | None,
        attempts: int,
        now: datetime,
    ) -> None:
        self._store.run("delete from outbox where alert_id = ? and event = ? and channel = ?", alert_id, event, channel)
        self._store.run(
            "insert into outbox (id, alert_id, event, channel, warehouse, payload, status, attempts, created_at,"
            " silenced_by) select coalesce(max(id), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ?, ? from outbox",
            *(alert_id, event, channel, warehouse, payload, "silenced" if silence else "pending", attempts),
            *(now.isoformat(), str(silence) if silence else None),
        )

    def pending(self, channel: str) -> list[Row]:
        """Rows that wait for this channel, oldest news first."""
        return self._rows("channel = ? and status = 'pending'", channel)

    def claim(self, rows: Sequence[Row]) -> None:
        """Note that these rows are about to be sent."""
        with self._store.transaction():
            for row in rows:
                self._store.run("update outbox set attempts = attempts + 1 where id = ?", row.id)

    def settle(self, rows: Sequence[Row], outcome: Outcome, now: datetime) -> None:
        """Note what became of these rows."""
        sent_at = now.isoformat() if outcome.status == "sent" else None
        with self._store.transaction():
            for row in rows:
                self._store.run(
                    "update outbox set status = ?, last_error = ?, sent_at = ? where id = ?",
                    *(outcome.status, outcome.error, sent_at, row.id),
                )

    def unsent(self, channel: str) -> list[Row]:
        """Rows that did not arrive: pending and dead ones."""
        return self._rows("channel = ? and status in ('pending', 'dead')", channel)

    def silenced(self, channel: str) -> int:
        """How many messages silences have kept from this channel."""
        return self._store.rows("select count(*) from outbox where channel = ? and status = 'silenced'", channel)[0][0]

    def revive(self) -> int:
        """Let dead letters wait again, the newest of each incident and channel, and return how many do."""
        newest = "select max(id) from outbox where status = 'dead' group by alert_id, channel"
        with self._store.transaction():
            self._store.run(f"delete from outbox where status = 'dead' and id not in ({newest})")
            revived = self._store.rows("select count(*) from outbox where status = 'dead'")[0][0]
            self._store.run("update outbox set status = 'pending', attempts = 0 where status = 'dead'")
            self._store.run("update channels set failures = 0, not_before = null")
        return revived

    def pause(self, channel: str) -> Pause:
        """Since when and how a channel is down, and when it had its last digest."""
        found = self._store.rows("select failures, not_before, digest_at from channels where channel = ?", channel)
        if not found:
            return Pause()
        failures, not_before, digest_at = found[0]
        return Pause(failures, _moment(not_before), _moment(digest_at))

    def failed(self, channel: str, retry_after: float | None, now: datetime) -> None:
        """Leave a channel alone for a while, at least as long as it asked for."""
        pause = self.pause(channel)
        wait = min(FIRST_PAUSE * 2 ** min(pause.failures, 10), LONGEST_PAUSE)
        until = now + max(wait, timedelta(seconds=min(retry_after or 0, MOST_PATIENCE_SECONDS)))
        self._set_pause(channel, replace(pause, failures=pause.failures + 1, not_before=until))

    def works(self, channel: str, digest_at: datetime | None = None) -> None:
        """A channel took a message, perhaps its digest."""
        pause = self.pause(channel)
        self._set_pause(channel, Pause(digest_at=digest_at or pause.digest_at))

    def _set_pause(self, channel: str, pause: Pause) -> None:
        with self._store.transaction():
            self._store.run("delete from channels where channel = ?", channel)
            self._store.run(
                "insert into channels (channel, failures, not_before, digest_at) values (?, ?, ?, ?)",
                *(channel, pause.failures, _text(pause.not_before), _text(pause.digest_at)),
            )

    def acknowledge(self, alert_id: str, acknowledgement: Acknowledgement) -> None:
        """Somebody took an incident; the last one counts."""
        with self._store.transaction():
            self._store.run("delete from acknowledgements where alert_id = ?", alert_id)
            self._store.run(
                "insert into acknowledgements (alert_id, acknowledged_by, note, acknowledged_at) values (?, ?, ?, ?)",
                *(alert_id, acknowledgement.by, acknowledgement.note, _text(acknowledgement.at)),
            )

    def acknowledgements(self) -> Mapping[str, Acknowledgement]:
        """Who took which incident."""
        found = self._store.rows("select alert_id, acknowledged_by, note, acknowledged_at from acknowledgements")
        return {alert_id: Acknowledgement(by, note, datetime.fromisoformat(at)) for alert_id, by, note, at in found}

    def silence(self, matcher: Matcher, author: str, reason: str, starts_at: datetime, ends_at: datetime) -> Silence:
        """Keep what matches from every channel between two moments, and return the silence with its id."""
        silence = Silence(f"s-{secrets.token_hex(3)}", matcher, author, reason, starts_at, ends_at)
        self._store.run(
            "insert into silences (silence_id, severity, rule_id, entity_type, entity_id, owner, author, reason,"
            " starts_at, ends_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(silence.silence_id, matcher.severity, matcher.rule_id, matcher.entity_type, matcher.entity_id),
            *(matcher.owner, author, reason, _text(starts_at), _text(ends_at)),
        )
        return silence

    def end_silence(self, silence_id: str, now: datetime) -> bool:
        """End a silence now, and say whether there was one to end."""
        is_there = any(silence.silence_id == silence_id for silence in self.silences(now))
        self._store.run(
            "update silences set ends_at = ? where silence_id = ? and ends_at > ?", _text(now), silence_id, _text(now)
        )
        return is_there

    def silences(self, now: datetime) -> list[Silence]:
        """Those that have not ended."""
        found = self._store.rows(
            "select silence_id, author, reason, starts_at, ends_at, severity, rule_id, entity_type, entity_id, owner"
            " from silences where ends_at > ? order by starts_at, silence_id",
            _text(now),
        )
        return [
            Silence(
                silence_id,
                Matcher(*parts),
                author,
                reason,
                datetime.fromisoformat(starts_at),
                datetime.fromisoformat(ends_at),
            )
            for silence_id, author, reason, starts_at, ends_at, *parts in found
        ]

    def _histories(self, channel: str) -> defaultdict[str, list[Row]]:
        histories: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._rows("channel = ? and event <> 'notice'", channel):
            histories[row.alert_id].append(row)
        return histories

    def _rows(self, condition: str, *values: object) -> list[Row]:
        found = self._store.rows(
            "select id, alert_id, event, warehouse, payload, status, attempts, last_error, created_at, sent_at"
            f" from outbox where {condition} order by id",
            *values,
        )
        return [Row(*row[:4], json.loads(row[4]), *row[5:]) for row in found]


@contextmanager
def open_outbox(place: Place, wait_seconds: float | None = LOCK_WAIT_SECONDS) -> Iterator[Outbox]:
    """The outbox at `place`, made when missing; one deliverer at a time holds it, others wait, then get a UserError.

    Who only notes something down passes no time to wait and needs not hold it.
    """
    with open_store(place, wait_seconds) as store:
        yield Outbox(store)


def _standing(
    incident: Incident | None,
    history: Sequence[Row],
    routes: Sequence[Route] | None,
    silences: Iterable[Silence],
    acknowledgement: Acknowledgement | None,
    now: datetime,
) -> Standing:
    if not incident:
        return Standing()
    hours = repeat_hours(routes or [])
    silence = next((silence for silence in silences if silence.holds(incident, now)), None)
    ended_at = max((row.sent_at or "" for row in history if row.event in ("resolved", "withdrawn")), default="")
    is_taken = acknowledgement is not None and acknowledgement.at.isoformat() > ended_at
    told_of_it = is_taken and any(
        row.event == "acknowledged" and row.created_at >= acknowledgement.at.isoformat() for row in history
    )
    return Standing(
        is_wanted=routes is not None and not incident.get("parent_alert_id"),
        repeat=timedelta(hours=hours) if hours else None,
        silence=silence,
        is_acknowledged=is_taken,
        acknowledgement_is_news=is_taken and not told_of_it,
    )


def _heard(row: Row | None) -> Heard | None:
    at = row and datetime.fromisoformat(row.sent_at or row.created_at)
    return Heard(row.event, row.incident.get("severity", ""), at) if row else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
