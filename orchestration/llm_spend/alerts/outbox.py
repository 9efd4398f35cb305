"""What each channel was told, and what waits to be told, in SQLite: never in the warehouse it reports on."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from llm_spend.alerts.incidents import Incident
from llm_spend.errors import UserError

Event = Literal["opened", "resolved", "past", "withdrawn"]
"""`past`: opened and resolved before it could be delivered. `withdrawn`: delivered, then removed by late data."""

State = Literal["open", "resolved", "absent"]
"""What the mart says of an incident now."""

LOCK_WAIT_SECONDS = 60

_NEWS: dict[Event | None, dict[State, Event]] = {
    None: {"open": "opened", "resolved": "past"},
    "opened": {"resolved": "resolved", "absent": "withdrawn"},
    "resolved": {"open": "opened", "absent": "withdrawn"},
    "past": {"open": "opened", "absent": "withdrawn"},
    "withdrawn": {"open": "opened", "resolved": "past"},
}

_SCHEMA = """
create table if not exists outbox (
    id integer primary key,
    alert_id text not null,
    event text not null,
    channel text not null,
    warehouse text not null,
    payload text not null,
    status text not null check (status in ('pending', 'sent', 'dead')),
    attempts integer not null,
    last_error text,
    created_at text not null,
    sent_at text,
    unique (alert_id, event, channel)
)
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one try. `error` is an exception class or an HTTP status: an address or header is never kept."""

    status: Literal["sent", "pending", "dead"]
    error: str | None = None


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


def news(told: Event | None, state: State) -> Event | None:
    """What someone who was last told `told` must hear, or None when that is still true."""
    return _NEWS[told].get(state)


class Outbox:
    """An open outbox. Each method commits before it returns."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def queue(self, incidents: Sequence[Incident], warehouse: str, channel: str, now: datetime) -> None:
        """Put what is new into the outbox as pending rows for one channel.

        Only the warehouse that reported an incident can withdraw it.
        """
        current = {incident["alert_id"]: incident for incident in incidents}
        histories = self._histories(channel)
        with self._connection:
            for alert_id in [*current, *(histories.keys() - current.keys())]:
                history = histories[alert_id]
                incident = current.get(alert_id)
                if incident or history[-1].warehouse == warehouse:
                    self._queue_one(alert_id, incident, history, warehouse, channel, now)

    def _queue_one(
        self,
        alert_id: str,
        incident: Incident | None,
        history: list[Row],
        warehouse: str,
        channel: str,
        now: datetime,
    ) -> None:
        state: State = incident["status"] if incident else "absent"
        told = next((row for row in reversed(history) if row.status == "sent"), None)
        waiting = next((row for row in history if row.status == "pending"), None)
        payload = json.dumps(incident or history[-1].incident)
        if waiting and news(waiting.event, state) is None:
            self._connection.execute("update outbox set payload = ? where id = ?", (payload, waiting.id))
            return
        # A row that was tried may have arrived: a crash can fall between sending and marking.
        heard = waiting if waiting and waiting.attempts else told
        event = news(heard.event if heard else None, state)
        if waiting:
            self._connection.execute("delete from outbox where id = ?", (waiting.id,))
        refused = {row.event for row in history if row.status == "dead" and (told is None or row.id > told.id)}
        if event and event not in refused:
            self._connection.execute(
                "insert or replace into outbox"
                " (alert_id, event, channel, warehouse, payload, status, attempts, created_at)"
                " values (?, ?, ?, ?, ?, 'pending', ?, ?)",
                (alert_id, event, channel, warehouse, payload, waiting.attempts if waiting else 0, now.isoformat()),
            )

    def pending(self, channel: str) -> list[Row]:
        """Rows that wait for this channel, oldest news first."""
        return self._rows("channel = ? and status = 'pending'", channel)

    def claim(self, rows: Sequence[Row]) -> None:
        """Note that these rows are about to be sent."""
        with self._connection:
            self._connection.executemany(
                "update outbox set attempts = attempts + 1 where id = ?", [(row.id,) for row in rows]
            )

    def settle(self, rows: Sequence[Row], outcome: Outcome, now: datetime) -> None:
        """Note what became of these rows."""
        sent_at = now.isoformat() if outcome.status == "sent" else None
        with self._connection:
            self._connection.executemany(
                "update outbox set status = ?, last_error = ?, sent_at = ? where id = ?",
                [(outcome.status, outcome.error, sent_at, row.id) for row in rows],
            )

    def unsent(self, channel: str) -> list[Row]:
        """Rows that did not arrive: pending and dead ones."""
        return self._rows("channel = ? and status <> 'sent'", channel)

    def _histories(self, channel: str) -> defaultdict[str, list[Row]]:
        histories: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._rows("channel = ?", channel):
            histories[row.alert_id].append(row)
        return histories

    def _rows(self, condition: str, channel: str) -> list[Row]:
        cursor = self._connection.execute(
            "select id, alert_id, event, warehouse, payload, status, attempts, last_error"
            f" from outbox where {condition} order by id",
            (channel,),
        )
        return [Row(*row[:4], json.loads(row[4]), *row[5:]) for row in cursor]


@contextmanager
def open_outbox(path: Path, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[Outbox]:
    """The outbox at `path`, made when missing; one deliverer at a time holds it, others wait, then get a UserError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(f"{path}.lock", timeout=wait_seconds, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise _unusable(path, error) from error
    with closing(lock):
        try:
            lock.execute("begin exclusive")
        except sqlite3.OperationalError as error:
            raise UserError(
                f"another delivery holds {path}: wait until it ends, then run again", exit_code=1
            ) from error
        with closing(_connect(path)) as connection:
            yield Outbox(connection)


def _connect(path: Path) -> sqlite3.Connection:
    try:
        connection = sqlite3.connect(path)
        connection.execute("pragma journal_mode = wal")
        connection.execute(_SCHEMA)
    except sqlite3.Error as error:
        raise _unusable(path, error) from error
    return connection


def _unusable(path: Path, error: Exception) -> UserError:
    return UserError(f"{path} cannot be used as the outbox of alerts ({error}): name a writable SQLite file")
