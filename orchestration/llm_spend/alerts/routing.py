"""Who is told of what, and when not: routes and silences, as the last build left them in the warehouse."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

import duckdb

from llm_spend.alerts.incidents import Incident
from llm_spend.database import connect

ROUTES_FILE, SILENCES_FILE = "alert_routes.csv", "alert_silences.csv"


@dataclass(frozen=True)
class Matcher:
    """Which incidents are meant; None is any."""

    severity: str | None = None
    rule_id: str | None = None
    entity_type: str | None = None
    entity_id: str | None = None
    owner: str | None = None

    def matches(self, incident: Incident) -> bool:
        """Whether every part that is set is the incident's."""
        return all(value == incident.get(name) for name, value in self.parts().items())

    def parts(self) -> dict[str, str]:
        """What is set, by column."""
        values = {part.name: getattr(self, part.name) for part in fields(Matcher)}
        return {name: value for name, value in values.items() if value is not None}

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.parts().items()) or "everything"


@dataclass(frozen=True)
class Route:
    """A channel and what goes there. `line` is the row's line in alert_routes.csv."""

    channel: str
    kind: str
    address_variable: str
    secret_variable: str | None
    matcher: Matcher
    repeat_hours: int | None
    messages_per_run: int | None
    messages_per_minute: int | None
    line: int | None = None


@dataclass(frozen=True)
class Silence:
    """A time, `[starts_at, ends_at)` in naive UTC, in which what matches is recorded and not told."""

    silence_id: str
    matcher: Matcher
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime

    def holds(self, incident: Incident, now: datetime) -> bool:
        """Whether it is now, and about this incident."""
        return self.starts_at <= now < self.ends_at and self.matcher.matches(incident)

    def __str__(self) -> str:
        return f"{self.silence_id} of {self.author}: {self.reason}"


@dataclass(frozen=True)
class Routing:
    """The routes and silences of the configuration. Without routes every channel takes everything."""

    routes: Sequence[Route] = ()
    silences: Sequence[Silence] = ()

    def of(self, channel: str, incident: Incident) -> list[Route] | None:
        """The routes by which an incident goes to a channel, for itself or for one below it that is not told on its
        own, or None: it does not. A channel without routes of its own takes everything."""
        own = [route for route in self.routes if route.channel == channel]
        family = [incident, *incident.get("below", ())]
        matching = [route for route in own if any(route.matcher.matches(each) for each in family)]
        return matching if matching or not own else None


NO_ROUTING = Routing()


def repeat_hours(routes: Sequence[Route]) -> int | None:
    """The shortest interval of re-notification among the routes that apply."""
    return min((route.repeat_hours for route in routes if route.repeat_hours), default=None)


def read_routing(database: Path) -> Routing:
    """Routes and silences of the last build; none where there was no build, or it had no such configuration."""
    if not database.exists():
        return NO_ROUTING
    matcher = ", ".join(part.name for part in fields(Matcher))
    with connect(database, read_only=True) as connection:
        try:
            routes = connection.execute(
                f"select channel, kind, address_variable, secret_variable, repeat_hours, messages_per_run,"
                f" messages_per_minute, {matcher} from staging.stg_config__alert_routes"
            ).fetchall()
            silences = connection.execute(
                f"select author, reason, starts_at, ends_at, {matcher} from staging.stg_config__alert_silences"
                " order by starts_at, author"
            ).fetchall()
            lines = dict(
                connection.execute("select channel, min(rowid) + 2 from raw.alert_routes group by channel").fetchall()
            )
        except duckdb.CatalogException:
            return NO_ROUTING
    return Routing(
        [Route(*row[:4], Matcher(*row[7:]), *row[4:7], lines.get(row[0])) for row in routes],
        [
            Silence(
                f"alert_silences.csv {starts_at:%Y-%m-%d %H:%M}", Matcher(*parts), author, reason, starts_at, ends_at
            )
            for author, reason, starts_at, ends_at, *parts in silences
        ],
    )
