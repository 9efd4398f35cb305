"""What happens in one seed's world and when, decided before a single call is drawn."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from llm_spend.demo.simulator import kinds
from llm_spend.demo.simulator.company import AS_OF, DAYS, HOLIDAYS, MONTH_END_DAYS, SERVICES, START, TENANTS
from llm_spend.demo.simulator.kinds import KINDS, SMALL_SHARE, Kind

FIRST_INCIDENT_DAY = 35
"""Five weeks that any baseline of four can be made of."""
INCIDENTS = (12, 15, 13, 16, 14)
"""How many a seed has, by its number modulo five."""
QUIET_DAYS = (5, 2, 0)
"""Days between two causes on the same entity: the first that can be had."""
TRIES = 300

MONTHS = (datetime(2026, 8, 1), datetime(2026, 9, 1))
LAST_DAYS_OF_MONTHS = (datetime(2026, 6, 30), datetime(2026, 7, 31), datetime(2026, 8, 31))
REPRICED = ("claude-sonnet-4-5", "claude-opus-4-5", "gpt-4o")
REPRICED_DAYS = (66, 80)
RAMP_DAYS = 12
"""In which a launch or a new customer grows to its level."""
OUTAGES, RELEASES, NEW_TENANTS = 2, 3, 4


@dataclass(frozen=True)
class Planned:
    """An incident, or a benign event, that holds in `[starts_at, ends_at)`.

    `size` means what its kind says; of a benign event it is the factor of a marketing day's traffic, or the share of an
    outage's calls that comes late instead of never. `model` is the one whose price changes.
    """

    kind: str
    starts_at: datetime
    ends_at: datetime
    endpoint: str | None = None
    tenant: str | None = None
    model: str | None = None
    size: float = 1.0
    is_small: bool = False
    is_benign: bool = False
    label_id: str = ""

    @property
    def rules(self) -> tuple[str, ...]:
        return kinds.BENIGN_RULES.get(self.kind, ()) if self.is_benign else kinds.BY_NAME[self.kind].rules

    @property
    def lanes(self) -> frozenset[str]:
        """What nothing else should happen to at about the same time."""
        named = {name for name in (self.endpoint, self.tenant) if name}
        of_model = {service.tag for service in SERVICES if service.model.name == self.model}
        is_burst = kinds.BY_NAME[self.kind].is_burst if not self.is_benign else self.kind in ALL_TRAFFIC
        return frozenset(named | of_model | ({"total"} if is_burst else set()))

    def covers(self, moment: datetime) -> bool:
        return self.starts_at <= moment < self.ends_at


Draw = Callable[[Random], Planned]

ALL_TRAFFIC = ("source_outage", "marketing_day")
BEGINNINGS = ("endpoint_launch", "new_tenant")
"""Before them there is no traffic that an incident could be made of, so that one on the same entity is out of place."""
MODEL_CHANGES = ("planned_migration", "silent_model_switch", "price_change")
"""Of these one is enough for an endpoint."""


def plan(seed: int) -> tuple[Planned, ...]:
    """All incidents and benign events of a seed, by their start; the same seed gives the same plan."""
    rng = Random(f"plan {seed}")
    placed = list(_calendar())
    for draw in _benign_draws():
        _place(rng, placed, draw)
    for kind in sorted(kinds_of(seed), key=_days_needed, reverse=True):
        _place(rng, placed, lambda rng, kind=kind: _incident(rng, kind))
    ordered = sorted(placed, key=lambda event: (event.starts_at, event.kind, event.endpoint or "", event.tenant or ""))
    return tuple(replace(event, label_id=f"{seed}-{nth:02d}") for nth, event in enumerate(ordered, start=1))


def kinds_of(seed: int) -> tuple[Kind, ...]:
    """The kinds take turns from seed to seed, so that any twenty seeds in a row hold each of them a dozen times."""
    cycle, place = divmod(seed, len(INCIDENTS))
    first = cycle * sum(INCIDENTS) + sum(INCIDENTS[:place])
    return tuple(KINDS[(first + nth) % len(KINDS)] for nth in range(INCIDENTS[place]))


def closing_days(last_day: datetime) -> list[datetime]:
    """The last working days of a month."""
    days = [last_day - timedelta(days=nth) for nth in range(7)]
    return sorted([day for day in days if day.weekday() < 5][:MONTH_END_DAYS])


def _days_needed(kind: Kind) -> float:
    """Those that last longest are placed first."""
    return {"price_change": DAYS, "budget_exceeded": 31, "unprofitable_tenant": 31}.get(kind.name, kind.hours[1] / 24)


def _place(rng: Random, placed: list[Planned], draw: Draw) -> None:
    """Draw again while the event comes too near to another on the same entity."""
    for quiet in QUIET_DAYS:
        for _ in range(TRIES):
            event = draw(rng)
            if not any(_collide(event, other, timedelta(days=quiet)) for other in placed):
                placed.append(event)
                return
    raise RuntimeError(f"no room for {event.kind}")


def _collide(event: Planned, other: Planned, quiet: timedelta) -> bool:
    if not event.lanes & other.lanes:
        return False
    for alone in (BEGINNINGS, MODEL_CHANGES):
        if other.kind in alone and (event.kind in alone or alone is BEGINNINGS):
            return True
    return event.starts_at < other.ends_at + quiet and other.starts_at < event.ends_at + quiet


def _at(day: float, hour: int = 0) -> datetime:
    return START + timedelta(days=int(day), hours=hour)


def _working_time(rng: Random, first_day: int, last_day: int) -> datetime:
    while True:
        moment = _at(rng.randint(first_day, last_day), rng.randint(7, 16))
        if moment.weekday() < 5:
            return moment


def _calendar() -> Iterator[Planned]:
    """Days that are different in every seed alike."""
    for days in HOLIDAYS.values():
        for day in days:
            starts_at = datetime.combine(day, datetime.min.time())
            yield Planned("holiday", starts_at, starts_at + timedelta(days=1), is_benign=True)
    for last_day in LAST_DAYS_OF_MONTHS:
        days = closing_days(last_day)
        yield Planned("month_end", days[0], days[-1] + timedelta(days=1), is_benign=True)


def _benign_draws() -> Iterator[Draw]:
    for service in SERVICES:
        if service.launched_after:
            yield lambda rng, tag=service.tag: _beginning("endpoint_launch", rng.randint(16, 60), endpoint=tag)
    for _ in range(NEW_TENANTS):
        yield lambda rng: _beginning("new_tenant", rng.randint(20, 75), tenant=TENANTS[rng.randint(15, 39)])
    yield _marketing_day
    yield _migration
    for _ in range(OUTAGES):
        yield _outage
    for _ in range(RELEASES):
        yield _neutral_release


def _beginning(kind: str, day: int, endpoint: str | None = None, tenant: str | None = None) -> Planned:
    return Planned(kind, _at(day), _at(day + RAMP_DAYS), endpoint=endpoint, tenant=tenant, is_benign=True)


def _marketing_day(rng: Random) -> Planned:
    day = _working_time(rng, 30, 85).replace(hour=0)
    return Planned("marketing_day", day, day + timedelta(days=1), size=rng.uniform(1.4, 1.8), is_benign=True)


def _migration(rng: Random) -> Planned:
    tags = [service.tag for service in SERVICES if service.next_model and not service.launched_after]
    starts_at = _working_time(rng, 25, 76)
    return Planned(
        "planned_migration", starts_at, starts_at + timedelta(days=12), endpoint=rng.choice(tags), is_benign=True
    )


def _outage(rng: Random) -> Planned:
    """A shipper that stands still for hours, or for a whole day; its rows come late or are lost."""
    is_whole_day = rng.random() < 0.3
    starts_at = _at(rng.randint(20, 86), 0 if is_whole_day else rng.randint(0, 14))
    hours = 24 if is_whole_day else rng.randint(3, 10)
    return Planned(
        "source_outage", starts_at, starts_at + timedelta(hours=hours), size=float(rng.random() < 0.5), is_benign=True
    )


def _neutral_release(rng: Random) -> Planned:
    tags = [service.tag for service in SERVICES if not service.launched_after]
    starts_at = _working_time(rng, 14, 78)
    return Planned(
        "neutral_release", starts_at, starts_at + timedelta(days=10), endpoint=rng.choice(tags), is_benign=True
    )


def _incident(rng: Random, kind: Kind) -> Planned:
    if kind.name == "price_change":
        starts_at = _at(rng.randint(*REPRICED_DAYS))
        return Planned(kind.name, starts_at, AS_OF, model=rng.choice(REPRICED), size=round(rng.uniform(*kind.size), 2))
    is_small = kind.has_small and rng.random() < SMALL_SHARE
    endpoints = kind.small_endpoints if is_small and kind.small_endpoints else kind.endpoints
    event = Planned(
        kind.name,
        START,
        START,
        endpoint=rng.choice(endpoints) if endpoints else None,
        tenant=TENANTS[rng.randint(*kind.ranks) - 1] if kind.ranks else None,
        size=rng.uniform(*(kind.small_size if is_small and kind.small_size else kind.size)),
        is_small=is_small,
    )
    if kind.begins == "month":
        month = rng.choice(MONTHS)
        return replace(event, starts_at=month, ends_at=min([later for later in (*MONTHS, AS_OF) if later > month]))
    hours = rng.randint(*kind.hours)
    if kind.begins == "day":
        hours -= hours % 24
    last_day = DAYS - 2 - hours // 24
    if kind.begins == "work":
        starts_at = _working_time(rng, FIRST_INCIDENT_DAY, last_day)
    else:
        starts_at = _at(rng.randint(FIRST_INCIDENT_DAY, last_day), rng.randint(0, 23) if kind.begins == "any" else 0)
    return replace(event, starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours))
