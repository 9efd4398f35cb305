"""Which alert is about which incident, and what follows for precision, recall and delay. Pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

Entity = tuple[str, str]
"""Type and id."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS_OF_QUARTER = 365.25 / 4
RIGHT, DUPLICATE, FALSE, NEITHER = "right", "duplicate", "false", "neither"


@dataclass(frozen=True)
class Label:
    """An incident or a benign event. `hours` are its extra dollars by the hour."""

    label_id: str
    kind: str
    detected: str
    starts_at: datetime
    ends_at: datetime
    entities: frozenset[Entity]
    rules: frozenset[str]
    meant: frozenset[str]
    dollars: float
    judgeable_at: datetime | None = None
    is_small: bool = False
    is_benign: bool = False
    hours: Mapping[datetime, float] = field(default_factory=dict, hash=False, compare=False)

    def most_dollars(self, period_type: str) -> float:
        """Its extra dollars in the dearest hour or day; for any other period, all of them."""
        if period_type == "hourly":
            return max(self.hours.values(), default=self.dollars)
        if period_type == "daily":
            return max(self.days().values(), default=self.dollars)
        return self.dollars

    def days(self) -> dict[datetime, float]:
        summed: dict[datetime, float] = {}
        for hour, dollars in self.hours.items():
            day = hour.replace(hour=0)
            summed[day] = summed.get(day, 0.0) + dollars
        return summed


@dataclass(frozen=True)
class Alert:
    """One incident of marts.alerts, or of a plain threshold."""

    rule_id: str
    entity: Entity
    window_start: datetime
    window_end: datetime
    opened_at: datetime
    period_type: str = "daily"
    pages: bool = True
    value: float | None = None
    baseline: float | None = None
    dollars: float | None = None


@dataclass(frozen=True)
class Rule:
    """What a rule needs to fire: dollars in one of its periods."""

    min_dollars: float
    period_type: str


@dataclass(frozen=True)
class Verdict:
    """What became of one page; `label` is what it is about, for a false one the benign event at its time."""

    alert: Alert
    outcome: str
    label: Label | None


@dataclass(frozen=True)
class Scored:
    """One seed: a verdict for each page, and the first right page of each incident found."""

    verdicts: tuple[Verdict, ...]
    required: tuple[Label, ...]
    found: Mapping[str, Alert]
    """By label_id; those not required are in it too."""
    delays: Mapping[str, timedelta]


def score(labels: Sequence[Label], alerts: Iterable[Alert], rules: Mapping[str, Rule]) -> Scored:
    """Judge the pages in the order in which they come.

    A page is right when it is the first about an incident, and a duplicate after that. It is about an incident when it
    opens after the incident began, its window overlaps the incident and one period more, and its rule and its entity
    are among the incident's. An incident too small to be required, or a benign event of which the rule may speak, makes
    its pages count neither way. Every other page is false. Where a page could be about several incidents, it is about
    one that no page was about, a required one, one its rule is meant for, the latest: in this order.
    """
    required = tuple(label for label in labels if is_required(label, rules))
    required_ids = {label.label_id for label in required}
    found: dict[str, Alert] = {}
    verdicts = []
    for alert in sorted((alert for alert in alerts if alert.pages), key=_order):
        about = [label for label in labels if is_about(alert, label)]
        if not about:
            verdicts.append(Verdict(alert, FALSE, _benign_at(alert, labels)))
            continue
        label = max(about, key=lambda label: (
            label.label_id not in found, label.label_id in required_ids, alert.rule_id in label.meant,
            label.starts_at, label.label_id,
        ))  # fmt: skip
        outcome = DUPLICATE if label.label_id in found else RIGHT
        if label.label_id not in required_ids:
            outcome = NEITHER
        found.setdefault(label.label_id, alert)
        verdicts.append(Verdict(alert, outcome, label))
    delays = {
        label.label_id: delay(label, found[label.label_id], rules) for label in required if label.label_id in found
    }
    return Scored(tuple(verdicts), required, found, delays)


def is_required(label: Label, rules: Mapping[str, Rule]) -> bool:
    """Whether some rule that is meant for the incident could see enough dollars in one of its periods.

    A rule that does not exist asks for no dollars: an incident is not excused because nobody looks for it.
    """
    if label.is_benign or label.is_small:
        return False
    asked = [rules.get(rule_id, Rule(0.0, "daily")) for rule_id in label.meant]
    return any(label.most_dollars(rule.period_type) >= rule.min_dollars for rule in asked)


def is_about(alert: Alert, label: Label) -> bool:
    grace = HOUR if alert.period_type.endswith("hourly") else DAY
    return (
        alert.rule_id in label.rules
        and alert.entity in label.entities
        and alert.opened_at > label.starts_at
        and alert.window_start < label.ends_at + grace
        and alert.window_end > label.starts_at
    )


def delay(label: Label, alert: Alert, rules: Mapping[str, Rule]) -> timedelta:
    """From when the incident could first be judged to the page; a page before that has none."""
    since = label.judgeable_at or label.starts_at
    if label.detected == "slow drift":
        least = min((rules[rule_id].min_dollars for rule_id in label.meant if rule_id in rules), default=0.0)
        since = next((day for day, dollars in sorted(label.days().items()) if dollars >= least), since)
    return max(alert.opened_at - since, timedelta())


def _order(alert: Alert) -> tuple[object, ...]:
    return alert.opened_at, alert.rule_id, alert.entity


def _benign_at(alert: Alert, labels: Iterable[Label]) -> Label | None:
    """A benign event on the alert's entity, else on all traffic, in the alert's window or the day before."""
    during = [
        label for label in labels
        if label.is_benign and alert.window_start < label.ends_at + DAY and alert.window_end > label.starts_at
    ]  # fmt: skip
    own = [label for label in during if {alert.entity} & (label.entities - {("total", "total")})]
    of_all = [label for label in during if label.entities == {("total", "total")}]
    return next(iter(own + of_all), None)


@dataclass(frozen=True)
class Pooled:
    """The verdicts of several seeds together."""

    seeds: Sequence[Scored]

    @property
    def verdicts(self) -> list[Verdict]:
        return [verdict for scored in self.seeds for verdict in scored.verdicts]

    @property
    def required(self) -> list[Label]:
        return [label for scored in self.seeds for label in scored.required]

    def count(self, outcome: str) -> int:
        return sum(verdict.outcome == outcome for verdict in self.verdicts)

    @property
    def precision(self) -> float | None:
        """Right pages among those that count."""
        counting = self.count(RIGHT) + self.count(DUPLICATE) + self.count(FALSE)
        return self.count(RIGHT) / counting if counting else None

    @property
    def recall(self) -> float | None:
        """Incidents found among those required."""
        return sum(len(scored.delays) for scored in self.seeds) / len(self.required) if self.required else None

    def false_pages_per_tenant_quarter(self, tenants: int, days: int) -> float:
        return self.count(FALSE) / (len(self.seeds) * tenants * days / DAYS_OF_QUARTER)

    def delays(self, **wanted: str) -> list[timedelta]:
        """Of the incidents found whose label has these values, such as kind or detected."""
        return [
            scored.delays[label.label_id]
            for scored in self.seeds
            for label in scored.required
            if label.label_id in scored.delays and all(getattr(label, name) == value for name, value in wanted.items())
        ]


def median_delay(delays: Sequence[timedelta]) -> timedelta | None:
    return median(delays) if delays else None
