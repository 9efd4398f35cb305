"""Complete rate cards from the price data of the `genai-prices` package.

genai-prices states a model's prices as a list of conditional prices ("the last active one wins") with
partial overrides per request variant. Here each service tier of a model becomes disjoint cards, one per span
of dates and clock times, that each hold every price. The library itself says which prices are in force at
the start of each span, so its precedence rules have no second implementation.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise, product, starmap
from typing import NamedTuple, TypeVar

from genai_prices.types import ModelInfo, ModelPrice, StartDateConstraint, TieredPrices, TimeOfDateConstraint

from llm_spend.errors import UserError

SERVICE_TIER_CONTEXTS: Mapping[str, Mapping[str, str]] = {
    "default": {"service_tier": "default"},
    "batch": {"processing": "batch"},
    "fast": {"service_tier": "fast"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
"""Our service tiers and the request context that selects each in genai-prices."""

SPEED_CONTEXTS: Mapping[str, Mapping[str, str]] = {"": {}, "fast": {"speed": "fast"}}
"""The same for speeds. Variants by `route` and `search_type` are not exported: no event says them."""

UNIT_PRICE_DECIMALS = 12

Bound = TypeVar("Bound")
Content = TypeVar("Content")


@dataclass(frozen=True)
class UsageType:
    """What a price is for, and the unit it is quoted in.

    The price covers 10 ** `per_exponent` units; None where it covers no power of ten.
    """

    name: str
    price_unit: str
    per_exponent: int | None


def _tokens(name: str) -> UsageType:
    return UsageType(name, "1M tokens", 6)


USAGE_TYPES: Mapping[str, UsageType] = {
    "input_mtok": _tokens("input"),
    "cache_read_mtok": _tokens("cached_input"),
    "cache_write_mtok": _tokens("cache_write"),
    "cache_write_1h_mtok": _tokens("cache_write_1h"),
    "output_mtok": _tokens("output"),
    "output_reasoning_mtok": _tokens("reasoning"),
    "output_citation_mtok": _tokens("citation"),
    "input_audio_mtok": _tokens("input_audio"),
    "output_audio_mtok": _tokens("output_audio"),
    "cache_audio_read_mtok": _tokens("cached_audio"),
    "input_image_mtok": _tokens("input_image"),
    "output_image_mtok": _tokens("output_image"),
    "cache_image_read_mtok": _tokens("cached_image"),
    "input_video_mtok": _tokens("input_video"),
    "output_video_mtok": _tokens("output_video"),
    "input_mchars": UsageType("characters", "1M characters", 6),
    "audio_hours": UsageType("audio_seconds", "1 hour", None),
    "input_audio_hours": UsageType("input_audio_seconds", "1 hour", None),
    "input_document_kpages": UsageType("pages", "1K pages", 3),
    "input_annotated_document_kpages": UsageType("annotated_pages", "1K pages", 3),
    "input_text_messages_kcount": UsageType("messages", "1K messages", 3),
    "web_searches_kcount": UsageType("web_search", "1K requests", 3),
    "storage_searches_kcount": UsageType("storage_search", "1K requests", 3),
    "requests_kcount": UsageType("request", "1K requests", 3),
}
"""Price keys of genai-prices and what we call them."""

FREE_USAGE_TYPES = (USAGE_TYPES["input_mtok"], USAGE_TYPES["output_mtok"])
"""What a model without any price gives away."""

Prices = Mapping[str, Decimal]
"""Price key of genai-prices → USD per quoted unit."""


@dataclass(frozen=True)
class ContextTier:
    """The prices of requests with more than `above_tokens` input tokens, up to the next tier."""

    above_tokens: int
    prices: Prices


@dataclass(frozen=True)
class RateCard:
    """All prices on the days `[valid_from, valid_to)` at `[clock_from, clock_to)`, UTC; None is open.

    `clock_to` may be 24:00.
    """

    valid_from: date | None
    valid_to: date | None
    clock_from: str | None
    clock_to: str | None
    context_tiers: tuple[ContextTier, ...]


class Mode(NamedTuple):
    """How a call was served."""

    service_tier: str
    speed: str

    @property
    def context(self) -> dict[str, str]:
        """The request context that selects this mode in genai-prices."""
        return {**SERVICE_TIER_CONTEXTS[self.service_tier], **SPEED_CONTEXTS[self.speed]}


DEFAULT_MODE = Mode("default", "")


def model_rate_cards(model: ModelInfo) -> dict[Mode, list[RateCard]]:
    """Disjoint cards by mode: every combination of the service tiers and the speeds that the model prices apart.

    A tier or speed that never differs from the default has none. Raises UserError for a price key that has no
    usage type here.
    """
    default = _rate_cards(model, DEFAULT_MODE.context)
    tiers = [
        tier
        for tier in SERVICE_TIER_CONTEXTS
        if tier == DEFAULT_MODE.service_tier or _rate_cards(model, Mode(tier, "").context) != default
    ]
    speeds = [
        speed
        for speed in SPEED_CONTEXTS
        if speed == DEFAULT_MODE.speed or _rate_cards(model, Mode("default", speed).context) != default
    ]
    return {mode: _rate_cards(model, mode.context) for mode in starmap(Mode, product(tiers, speeds))}


def quoted_price(price: Decimal, usage_type: UsageType) -> tuple[str, str]:
    """Price text, half-up to 12 decimals per single unit, and a note where that changed the price."""
    rounded = price
    if usage_type.per_exponent is not None:
        quantum = Decimal(1).scaleb(usage_type.per_exponent - UNIT_PRICE_DECIMALS)
        rounded = price.quantize(quantum, rounding=ROUND_HALF_UP)
    text = f"{rounded.normalize():f}"
    return text, "" if rounded == price else f"rounded from {price:f}"


def _rate_cards(model: ModelInfo, context: Mapping[str, str]) -> list[RateCard]:
    days = [None, *_start_dates(model), None]
    clocks = _clock_times(model)
    clock_spans = list(pairwise([*(f"{clock:%H:%M}" for clock in clocks), "24:00"]))

    def windows_on(day: date | None) -> list[tuple[str, str, tuple[ContextTier, ...]]]:
        instants = (datetime.combine(day or date.min, clock, UTC) for clock in clocks)
        tiers = (_context_tiers(model.get_prices(instant, context)) for instant in instants)
        return _merged((*span, content) for span, content in zip(clock_spans, tiers, strict=True))

    return [
        RateCard(
            valid_from,
            valid_to,
            clock_from if len(windows) > 1 else None,
            clock_to if len(windows) > 1 else None,
            tiers,
        )
        for valid_from, valid_to, windows in _merged((start, end, windows_on(start)) for start, end in pairwise(days))
        for clock_from, clock_to, tiers in windows
    ]


def _context_tiers(prices: ModelPrice) -> tuple[ContextTier, ...]:
    by_key = {key: price for key, price in vars(prices).items() if price is not None}
    unknown = sorted(by_key.keys() - USAGE_TYPES.keys())
    if unknown:
        raise UserError(f"this genai-prices prices {', '.join(unknown)}, which llm_spend does not know; use 0.2")
    starts = {tier.start for price in by_key.values() if isinstance(price, TieredPrices) for tier in price.tiers}
    tiers: list[ContextTier] = []
    for start in [0, *sorted(starts)]:
        tier_prices = {key: _price_above(start, price) for key, price in by_key.items()}
        if not tiers or tiers[-1].prices != tier_prices:
            tiers.append(ContextTier(start, tier_prices))
    return tuple(tiers)


def _price_above(start: int, price: Decimal | TieredPrices) -> Decimal:
    if not isinstance(price, TieredPrices):
        return price
    return next((tier.price for tier in reversed(price.tiers) if tier.start <= start), price.base)


def _constraints(model: ModelInfo) -> list[StartDateConstraint | TimeOfDateConstraint | None]:
    conditional = model.prices if isinstance(model.prices, list) else []
    return [item.constraint for item in [*conditional, *(model.price_variants or [])]]


def _start_dates(model: ModelInfo) -> list[date]:
    return sorted({c.start_date for c in _constraints(model) if isinstance(c, StartDateConstraint)})


def _clock_times(model: ModelInfo) -> list[time]:
    bounds = {
        bound
        for c in _constraints(model)
        if isinstance(c, TimeOfDateConstraint)
        for bound in (c.start_time, c.end_time)
    }
    return sorted({time.min} | {_utc_clock(bound) for bound in bounds})


def _utc_clock(clock: time) -> time:
    aware = datetime.combine(date(2000, 1, 1), clock, clock.tzinfo or UTC)
    return aware.astimezone(UTC).time()


def _merged(spans: Iterable[tuple[Bound, Bound, Content]]) -> list[tuple[Bound, Bound, Content]]:
    """Consecutive spans, joined where the content is equal."""
    merged: list[tuple[Bound, Bound, Content]] = []
    for start, end, content in spans:
        if merged and merged[-1][2] == content:
            merged[-1] = (merged[-1][0], end, content)
        else:
            merged.append((start, end, content))
    return merged
