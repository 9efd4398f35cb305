"""Brings the price seeds up to the data of the installed `genai-prices` package, and keeps all history."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from llm_spend.errors import UserError
from llm_spend.pricing.timelines import (
    MODEL_PRICE_COLUMNS,
    OPEN_START,
    PriceChange,
    Row,
    Series,
    Timeline,
    backdated,
    last_prices,
    merged,
    price_changes,
    rows_of,
    timelines_of,
)

if TYPE_CHECKING:
    from genai_prices.types import Provider

    from llm_spend.pricing.tables import Seed

JUMP_FACTOR = 10
"""A price that moves further than this is likelier a misplaced unit than news."""

LISTED = 20
"""Entries of each kind in the printed report; the version control's diff holds the rest."""

LAUNCHES = Path(__file__).with_name("service_tier_launches.csv")
CORRECTIONS = Path(__file__).with_name("price_corrections.csv")
CORRECTED_PRICES = Path(__file__).with_name("corrected_prices.csv")
"""The library's last prices where `price_corrections.csv` says otherwise."""

Timelines = Mapping[Series, Timeline]


@dataclass(frozen=True)
class Library:
    """Price data, and the name and version that its rows carry."""

    providers: "Sequence[Provider]"
    source: str


@dataclass(frozen=True)
class SeedChange:
    """Rows of one seed file, compared by key with the file before."""

    seed: str
    rows: int
    added: int
    changed: int
    removed: int


@dataclass(frozen=True)
class RefreshReport:
    """What a refresh wrote.

    `withdrawn` are models that the library no longer has and the seeds keep. `outdated_corrections` were written
    against other prices than the library's, so its prices hold from that refresh on.
    """

    source: str
    new_models: Sequence[tuple[str, str]]
    price_changes: Sequence[PriceChange]
    withdrawn: Sequence[tuple[str, str]]
    outdated_corrections: Sequence[Series]
    seeds: Sequence[SeedChange]


def installed_library() -> Library:
    """The installed genai-prices. Raises UserError where it is not installed."""
    try:
        from genai_prices.data import providers
    except ModuleNotFoundError as error:
        raise UserError("genai-prices is not installed; run pip install 'llm-spend[prices]'") from error
    return Library(providers, f"genai-prices {version('genai-prices')}")


def refresh(seeds_dir: Path, library: Library, on: date, allow_jumps: bool = False) -> RefreshReport:
    """Merge the library into the CSV files of `seeds_dir` and report what changed.

    A change that the library does not date counts from `on`, so a second run changes nothing. Seeds that are kept
    by hand are left alone.

    Raises UserError, and writes nothing, when the directory does not exist, a seed has other columns or, unless
    `allow_jumps`, a price moves by more than a factor of 10.
    """
    if not seeds_dir.is_dir():
        raise UserError(f"{seeds_dir} is not a directory; name the folder that holds the price seeds")
    from llm_spend.pricing.tables import csv_text, library_timelines, model_prices

    old = timelines_of(_read_rows(seeds_dir / "model_prices.csv", MODEL_PRICE_COLUMNS))
    current = library_timelines(library.providers, library.source)
    corrections = timelines_of(_read_rows(CORRECTIONS, MODEL_PRICE_COLUMNS))
    outdated = _outdated_corrections(current)
    new = _with_earlier_tiers(_merged_book(old, current, corrections, outdated, on))
    changes = [
        change
        for series, timeline in new.items()
        if (former := _in_force(old, series))
        for change in price_changes(series, former, timeline)
    ]
    if not allow_jumps:
        _refuse_jumps(changes)

    seeds = [model_prices(rows_of(new)), *_names_with_withdrawn(library.providers, seeds_dir)]
    known, former = _models(current), _models(old)
    report = RefreshReport(
        library.source,
        sorted(known - former),
        changes,
        sorted(former - known),
        outdated,
        [_change(seed, _path(seeds_dir, seed)) for seed in seeds],
    )
    for seed in seeds:
        _path(seeds_dir, seed).write_text(csv_text(seed), encoding="utf-8", newline="\n")
    return report


def report_lines(report: RefreshReport) -> list[str]:
    """The report as lines of rich markup, the first 20 of each kind."""
    lines = [f"[bold]Price book[/bold]  {escape(report.source)}"]
    for title, entries in (
        ("New models", [" ".join(model) for model in report.new_models]),
        ("Changed prices", [_change_text(change) for change in report.price_changes]),
        ("No longer in the library, kept", [" ".join(model) for model in report.withdrawn]),
        ("Corrections to review, the library's price has moved", [_mode_text(s) for s in report.outdated_corrections]),
    ):
        if entries:
            lines.append(f"[bold]{title}[/bold]  {len(entries):,}")
            lines += [f"  {escape(entry)}" for entry in entries[:LISTED]]
            if len(entries) > LISTED:
                lines.append(f"  and {len(entries) - LISTED:,} more")
    lines.append("[bold]Rows[/bold]")
    lines += [
        f"  {seed.seed}: {seed.rows:,} rows, {seed.added:,} added, {seed.changed:,} changed, {seed.removed:,} removed"
        for seed in report.seeds
    ]
    return lines


def _change_text(change: PriceChange) -> str:
    old, new = ("–" if price is None else f"{price:f}" for price in (change.old, change.new))
    percent = "" if change.percent is None else f" ({change.percent:+.1f} %)"
    since = "from the start" if change.valid_from == OPEN_START else f"from {change.valid_from}"
    context = f" above {change.line.context_above_tokens} tokens" if change.line.context_above_tokens != "0" else ""
    clock = f" {change.line.clock_from}-{change.line.clock_to}" if change.line.clock_from else ""
    weekdays = f" {change.line.weekdays}" if change.line.weekdays else ""
    return (
        f"{_mode_text(change.series)}: {change.line.usage_type}{context}{clock}{weekdays}"
        f" {old} → {new} USD per {change.line.price_unit}{percent} {since}"
    )


def _mode_text(series: Series) -> str:
    modes = [series.service_tier] if series.service_tier != "default" else []
    modes += [f"speed {series.speed}"] if series.speed else []
    return " ".join([series.provider_id, series.model_id, *([f"({', '.join(modes)})"] if modes else [])])


def _merged_book(
    old: Timelines, current: Timelines, corrections: Timelines, outdated: Sequence[Series], on: date
) -> dict[Series, Timeline]:
    """Every series of either book; a service tier that one of them does not price apart is the default there."""
    book: dict[Series, Timeline] = {}
    for series in _all_modes([*current, *old]):
        before, now = _in_force(old, series), _in_force(current, series)
        if series in corrections and series not in outdated:
            book[series] = corrections[series]
        elif not now:
            book[series] = before or []
        else:
            before = before or corrections.get(series)
            book[series] = merged(before, now, on) if before else now
    return book


def _outdated_corrections(current: Timelines) -> list[Series]:
    corrected: dict[Series, dict[str, set[Decimal]]] = {}
    for *names, usage_type, prices in _read_rows(
        CORRECTED_PRICES, ("provider_id", "model_id", "service_tier", "speed", "usage_type", "prices_usd")
    ):
        corrected.setdefault(Series(*names), {})[usage_type] = {Decimal(price) for price in prices.split()}
    return [
        series for series, prices in corrected.items() if series in current and last_prices(current[series]) != prices
    ]


def _all_modes(known: Sequence[Series]) -> list[Series]:
    """Every combination of the service tiers and the speeds of each model."""
    tiers: dict[tuple[str, str], dict[str, None]] = {}
    speeds: dict[tuple[str, str], dict[str, None]] = {}
    for series in known:
        tiers.setdefault(series[:2], {})[series.service_tier] = None
        speeds.setdefault(series[:2], {})[series.speed] = None
    return [Series(*model, tier, speed) for model in tiers for tier in tiers[model] for speed in speeds[model]]


def _with_earlier_tiers(book: Timelines) -> dict[Series, Timeline]:
    launches = {
        (provider_id, service_tier): (date.fromisoformat(launched_on), source_url)
        for provider_id, service_tier, launched_on, source_url in _read_rows(
            LAUNCHES, ("provider_id", "service_tier", "launched_on", "source_url")
        )
    }
    return {
        series: backdated(timeline, book[series.default], *launches[series.provider_id, series.service_tier])
        if (series.provider_id, series.service_tier) in launches
        else timeline
        for series, timeline in book.items()
    }


def _in_force(book: Timelines, series: Series) -> Timeline | None:
    """What a call of this kind pays: without cards for its service tier the default's, likewise for its speed."""
    tier = series.service_tier if series._replace(speed="") in book else "default"
    speed = series.speed if series.default in book else ""
    return book.get(series._replace(service_tier=tier, speed=speed))


def _refuse_jumps(changes: Sequence[PriceChange]) -> None:
    jumps = [change for change in changes if change.is_jump(JUMP_FACTOR)]
    if not jumps:
        return
    named = [
        f"{change.series.provider_id} {change.series.model_id} {change.line.usage_type}"
        f" {change.old:f} → {change.new:f} USD per {change.line.price_unit}"
        for change in jumps[:3]
    ]
    rest = f" and {len(jumps) - 3:,} more" if len(jumps) > 3 else ""
    raise UserError(
        f"prices move by more than a factor of {JUMP_FACTOR}, so nothing was written: {', '.join(named)}{rest};"
        " if they are right, run again with --allow-jumps",
        exit_code=1,
    )


def _names_with_withdrawn(providers: "Sequence[Provider]", seeds_dir: Path) -> "list[Seed]":
    """The seeds of names, with the former rows of what the library no longer has, ordered after all it has."""
    from llm_spend.pricing.tables import name_seeds

    seeds = name_seeds(providers)
    former = {seed.name: _read_rows(_path(seeds_dir, seed), seed.columns) for seed in seeds}
    owners = {(provider.id,) for provider in providers}
    owners |= {(provider.id, model.id) for provider in providers for model in provider.models}
    numbers = defaultdict(lambda: count(1), {(): count(len(providers) + 1)})
    numbers |= {(provider.id,): count(len(provider.models) + 1) for provider in providers}
    ordinals = {
        owner: str(next(numbers[owner[:-1]]))
        for name, width in (("providers", 1), ("models", 2))
        for row in sorted(former[name], key=lambda row: int(row[width]))
        if (owner := row[:width]) not in owners
    }

    def kept(seed: "Seed") -> "Iterator[Row]":
        for row in former[seed.name]:
            owner, rest = row[: seed.owner_width], row[seed.owner_width :]
            if owner in ordinals:
                yield row if seed.name == "provider_fallbacks" else (*owner, ordinals[owner], *rest[1:])

    return [seed.with_rows([*seed.rows, *kept(seed)]) for seed in seeds]


def _models(book: Timelines) -> set[tuple[str, str]]:
    return {(series.provider_id, series.model_id) for series in book}


def _change(seed: "Seed", path: Path) -> SeedChange:
    before = _content_by_key(seed, _read_rows(path, seed.columns))
    after = _content_by_key(seed, seed.rows)
    return SeedChange(
        seed=seed.name,
        rows=len(seed.rows),
        added=len(after.keys() - before.keys()),
        changed=sum(before[key] != after[key] for key in after.keys() & before.keys()),
        removed=len(before.keys() - after.keys()),
    )


def _content_by_key(seed: "Seed", rows: Sequence[Row]) -> Mapping[Row, Row]:
    return {row[: seed.key_width]: row[seed.key_width :] for row in rows}


def _path(seeds_dir: Path, seed: "Seed") -> Path:
    return seeds_dir / f"{seed.name}.csv"


def _read_rows(path: Path, columns: Sequence[str]) -> list[Row]:
    """Rows of a file, none where it does not exist. Raises UserError where it has other columns."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    if header != list(columns):
        raise UserError(f"{path} has other columns than {','.join(columns)}: its history cannot be kept")
    return [tuple(row) for row in rows]
