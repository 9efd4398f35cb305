"""What one provider, model, service tier and speed cost over time.

A timeline is a list of spans in order of their dates; every span holds every price in force in it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

MODEL_PRICE_COLUMNS = (
    *("provider_id", "model_id", "service_tier", "speed", "usage_type", "context_above_tokens", "context_inclusive"),
    *("valid_from", "valid_to", "clock_from", "clock_to", "weekdays"),
    *("price_usd", "price_unit", "source", "verified_on", "note"),
)

OPEN_START = date.min
OPEN_END = date.max

Row = tuple[str, ...]


class Series(NamedTuple):
    """Whose timeline it is."""

    provider_id: str
    model_id: str
    service_tier: str
    speed: str

    @property
    def default(self) -> "Series":
        """The default service tier beside this one."""
        return self._replace(service_tier="default")


class PriceLine(NamedTuple):
    """A row of `model_prices.csv` without its series and dates, as text."""

    usage_type: str
    context_above_tokens: str
    context_inclusive: str
    clock_from: str
    clock_to: str
    weekdays: str
    price_usd: str
    price_unit: str
    source: str
    verified_on: str
    note: str

    @property
    def terms(self) -> Row:
        """What is billed; leaves out where the price is from."""
        return self[: PriceLine._fields.index("source")]

    @property
    def window(self) -> Row:
        """Clock times and weekdays on which it holds."""
        return self.clock_from, self.clock_to, self.weekdays


@dataclass(frozen=True)
class Span:
    """The prices on the days `[valid_from, valid_to)`; lines in order of their terms."""

    valid_from: date
    valid_to: date
    lines: tuple[PriceLine, ...]

    @property
    def terms(self) -> tuple[Row, ...]:
        return tuple(line.terms for line in self.lines)


Timeline = Sequence[Span]


def span(valid_from: date | None, valid_to: date | None, lines: Iterable[PriceLine]) -> Span:
    """A span whose open ends are None."""
    return Span(valid_from or OPEN_START, valid_to or OPEN_END, tuple(sorted(lines)))


def timelines_of(rows: Iterable[Row]) -> dict[Series, Timeline]:
    """The timelines in the rows of `model_prices.csv`."""
    spans: dict[Series, dict[tuple[str, str], list[PriceLine]]] = {}
    for row in rows:
        series, usage_and_context, days, rest = Series(*row[:4]), row[4:7], (row[7], row[8]), row[9:]
        spans.setdefault(series, {}).setdefault(days, []).append(PriceLine(*usage_and_context, *rest))
    return {series: _timeline_of(by_days) for series, by_days in spans.items()}


def rows_of(timelines: Mapping[Series, Timeline]) -> Iterator[Row]:
    """The timelines as rows of `model_prices.csv`."""
    for series, timeline in timelines.items():
        for item in timeline:
            days = _text(item.valid_from, OPEN_START), _text(item.valid_to, OPEN_END)
            for line in item.lines:
                yield *series, *line[:3], *days, *line[3:]


def merged(old: Timeline, new: Timeline, on: date) -> Timeline:
    """`old` until prices change, `new` from then on.

    That day is one on which `new` leaves the prices that both agreed on, dated by its source. A difference
    without such a day, be it today or in the past, is a change of today's (`on`).
    """
    changed_on = min(_dated_change(old, new), on)
    if _terms(between(old, changed_on, OPEN_END)) == _terms(between(new, changed_on, OPEN_END)):
        return old
    return joined([*between(old, OPEN_START, changed_on), *between(new, changed_on, OPEN_END)])


def backdated(tier: Timeline, default: Timeline, launched_on: date, source_url: str) -> Timeline:
    """The first prices of a service tier from the day the default prices beside them began, or its launch if later.

    A tier without prices of its own before pays the default; a tier that begins with its own is left alone.
    """
    own_from = next((day for day in _bounds(tier, default) if _terms_at(tier, day) != _terms_at(default, day)), None)
    beside = _at(default, own_from) if own_from else None
    first = _at(tier, own_from) if own_from else None
    if not own_from or not beside or not first:
        return tier
    start = max(beside.valid_from, launched_on)
    if start >= own_from:
        return tier
    lines = tuple(
        line._replace(
            source=f"{line.source}; {source_url}", note=_and(line.note, f"from {own_from} in {line.source.split()[0]}")
        )
        for line in first.lines
    )
    earlier = replace(first, valid_from=start, valid_to=own_from, lines=lines)
    return joined([*between(tier, OPEN_START, start), earlier, *between(tier, own_from, OPEN_END)])


def between(timeline: Timeline, start: date, end: date) -> Timeline:
    """The part on the days `[start, end)`."""
    clipped = (
        replace(item, valid_from=max(item.valid_from, start), valid_to=min(item.valid_to, end)) for item in timeline
    )
    return [item for item in clipped if item.valid_from < item.valid_to]


def joined(timeline: Timeline) -> Timeline:
    """Neighbours with the same prices as one span, which says where the earlier one is from."""
    spans: list[Span] = []
    for item in timeline:
        if spans and spans[-1].valid_to == item.valid_from and spans[-1].terms == item.terms:
            spans[-1] = replace(spans[-1], valid_to=item.valid_to)
        else:
            spans.append(item)
    return spans


def last_prices(timeline: Timeline) -> dict[str, set[Decimal]]:
    """Every price of a usage type in the last span, whatever its context and time of day."""
    prices: dict[str, set[Decimal]] = {}
    for line in timeline[-1].lines:
        prices.setdefault(line.usage_type, set()).add(Decimal(line.price_usd))
    return prices


@dataclass(frozen=True)
class PriceChange:
    """A price that differs from `valid_from` on; None is no price of its own."""

    series: Series
    line: PriceLine
    old: Decimal | None
    new: Decimal | None
    valid_from: date

    @property
    def percent(self) -> Decimal | None:
        """Percent of the old price, None where there is none."""
        return None if self.new is None or not self.old else (self.new / self.old - 1) * 100

    def is_jump(self, factor: int) -> bool:
        """Whether a price that stays above zero moves by more than `factor`, up or down."""
        if not self.old or not self.new:
            return False
        return max(self.old, self.new) > factor * min(self.old, self.new)


def price_changes(series: Series, old: Timeline, new: Timeline) -> Iterator[PriceChange]:
    """Each price that calls pay otherwise than before, once for each day from which it differs."""
    before: set[tuple[Row, Decimal | None, Decimal | None]] = set()
    for day in _bounds(old, new):
        now: set[tuple[Row, Decimal | None, Decimal | None]] = set()
        for line, old_price, new_price in _differences(_lines_at(old, day), _lines_at(new, day)):
            difference = (line.terms[:6], old_price, new_price)
            now.add(difference)
            if difference not in before:
                yield PriceChange(series, line, old_price, new_price, day)
        before = now


def _differences(
    old: Sequence[PriceLine], new: Sequence[PriceLine]
) -> Iterator[tuple[PriceLine, Decimal | None, Decimal | None]]:
    for line in new:
        former = _counterpart(line, old)
        if former is None or Decimal(former.price_usd) != Decimal(line.price_usd):
            yield line, former and Decimal(former.price_usd), Decimal(line.price_usd)
    kept = {line.terms[:6] for line in new}
    for line in old:
        if line.terms[:6] not in kept:
            later = _counterpart(line, new)
            if later is None or Decimal(later.price_usd) != Decimal(line.price_usd):
                yield line, Decimal(line.price_usd), later and Decimal(later.price_usd)


def _counterpart(line: PriceLine, others: Sequence[PriceLine]) -> PriceLine | None:
    """The line among the others that a call billed by `line` would pay, as near as can be told."""
    same_type = [other for other in others if other.usage_type == line.usage_type]
    same_window = [other for other in same_type if other.window == line.window] or same_type
    threshold = int(line.context_above_tokens)
    reached = [other for other in same_window if int(other.context_above_tokens) <= threshold]
    return max(reached or same_window, key=lambda other: int(other.context_above_tokens), default=None)


def _dated_change(old: Timeline, new: Timeline) -> date:
    """The first day on which the new timeline leaves prices that both agree on; never where only the old one moves."""
    old_bounds = {item.valid_from for item in old}
    return next(
        (
            later.valid_from
            for earlier, later in pairwise(new)
            if later.valid_from not in old_bounds
            and _terms_at(old, later.valid_from) == earlier.terms
            and later.terms != earlier.terms
        ),
        OPEN_END,
    )


def _timeline_of(by_days: Mapping[tuple[str, str], Iterable[PriceLine]]) -> Timeline:
    spans = (
        span(date.fromisoformat(start) if start else None, date.fromisoformat(end) if end else None, lines)
        for (start, end), lines in by_days.items()
    )
    return sorted(spans, key=lambda item: item.valid_from)


def _bounds(*timelines: Timeline) -> list[date]:
    return sorted({item.valid_from for timeline in timelines for item in timeline})


def _at(timeline: Timeline, day: date) -> Span | None:
    return next((item for item in timeline if item.valid_from <= day < item.valid_to), None)


def _lines_at(timeline: Timeline, day: date) -> Sequence[PriceLine]:
    found = _at(timeline, day)
    return found.lines if found else ()


def _terms_at(timeline: Timeline, day: date) -> tuple[Row, ...]:
    return tuple(line.terms for line in _lines_at(timeline, day))


def _terms(timeline: Timeline) -> list[tuple[date, date, tuple[Row, ...]]]:
    return [(item.valid_from, item.valid_to, item.terms) for item in joined(timeline)]


def _text(day: date, open_end: date) -> str:
    return "" if day == open_end else day.isoformat()


def _and(*texts: str) -> str:
    return "; ".join(text for text in texts if text)
