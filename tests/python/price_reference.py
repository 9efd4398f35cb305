"""An independent judge of prices: what genai-prices says a logged name means and a call costs.

The library gets its own prices, rounded as ours are: half-up to 12 decimals of USD per token, second, page or request.
"""

import csv
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache

from genai_prices.data import providers
from genai_prices.data_snapshot import DataSnapshot
from genai_prices.types import (
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseStartsWith,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    Usage,
)

from llm_spend.paths import project_dir

CONTEXTS: Mapping[str, Mapping[str, str]] = {
    "default": {"service_tier": "default"},
    "batch": {"processing": "batch"},
    "fast": {"service_tier": "fast"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
"""How the library is told a service tier. Its variants by `route` and `search_type` (2 models) no event can say."""

LIBRARY_KEYS = {
    "input_tokens": ("input_tokens", "input_mtok"),
    "cached_input_tokens": ("cache_read_tokens", "cache_read_mtok"),
    "cache_write_tokens": ("cache_write_tokens", "cache_write_mtok"),
    "cache_write_1h_tokens": ("cache_write_1h_tokens", "cache_write_1h_mtok"),
    "input_audio_tokens": ("input_audio_tokens", "input_audio_mtok"),
    "cached_audio_tokens": ("cache_audio_read_tokens", "cache_audio_read_mtok"),
    "input_image_tokens": ("input_image_tokens", "input_image_mtok"),
    "cached_image_tokens": ("cache_image_read_tokens", "cache_image_read_mtok"),
    "input_video_tokens": ("input_video_tokens", "input_video_mtok"),
    "output_tokens": ("output_tokens", "output_mtok"),
    "reasoning_tokens": ("output_reasoning_tokens", "output_reasoning_mtok"),
    "citation_tokens": ("output_citation_tokens", "output_citation_mtok"),
    "output_audio_tokens": ("output_audio_tokens", "output_audio_mtok"),
    "output_image_tokens": ("output_image_tokens", "output_image_mtok"),
    "output_video_tokens": ("output_video_tokens", "output_video_mtok"),
    "characters": ("input_characters", "input_mchars"),
    "messages": ("input_text_messages", "input_text_messages_kcount"),
    "audio_seconds": ("audio_seconds", "audio_hours"),
    "input_audio_seconds": ("input_audio_seconds", "input_audio_hours"),
    "output_audio_seconds": ("output_audio_seconds", "output_audio_hours"),
    "pages": ("input_document_pages", "input_document_kpages"),
    "annotated_pages": ("input_annotated_document_pages", "input_annotated_document_kpages"),
    "web_search_requests": ("web_searches", "web_searches_kcount"),
    "storage_searches": ("storage_searches", "storage_searches_kcount"),
}
"""Quantity of our usage event → usage key and price key of the library. Requests are one a call on both sides."""

IN_OTHER_USAGE = {
    *("input_video_tokens", "citation_tokens", "output_video_tokens", "characters", "messages"),
    *("audio_seconds", "input_audio_seconds", "output_audio_seconds", "pages", "annotated_pages", "storage_searches"),
}

PRICE_KEYS = {"input": "input_mtok", "cached_input": "cache_read_mtok", "output": "output_mtok"}
"""Usage types of the corrected rows."""

WHOLES = {
    *("input_tokens", "output_tokens", "characters", "messages", "audio_seconds", "pages"),
    *("web_search_requests", "storage_searches"),
}
"""Quantities that are part of no other."""

UNITS_PER_PRICE = {"mtok": 1_000_000, "mchars": 1_000_000, "kcount": 1_000, "kpages": 1_000, "hours": 3_600}

GATEWAY_PREFIXES = tuple(
    line.split(",")[0]
    for line in (project_dir() / "seeds" / "prices" / "model_prefixes.csv").read_text("utf-8").splitlines()
)

PROVIDER_NAMES = (
    "amazon-bedrock",
    "vertex_ai",
    "google-gla",
    "huggingface/groq",
    "together_ai",
    "xai",
    "acme",
)


@dataclass(frozen=True)
class Call:
    """A call as logged; `quantities` by the names of LIBRARY_KEYS."""

    provider: str
    model: str
    service_tier: str
    speed: str
    started_at: datetime
    quantities: Mapping[str, int] = field(default_factory=dict)

    @property
    def context(self) -> dict[str, str]:
        return {**CONTEXTS[self.service_tier], **({"speed": self.speed} if self.speed else {})}

    def event(self, event_id: str) -> dict[str, object]:
        """The usage event that an application would log."""
        fields = {name: n for name, n in self.quantities.items() if name not in IN_OTHER_USAGE}
        other_usage = {name: n for name, n in self.quantities.items() if name in IN_OTHER_USAGE}
        return {
            "event_id": event_id,
            "started_at": self.started_at.isoformat(),
            "provider": self.provider or None,
            "model": self.model,
            "service_tier": self.service_tier,
            "speed": self.speed or None,
            **fields,
            "other_usage": other_usage or None,
        }


def rounded_price(price_key: str, price: Decimal) -> Decimal:
    units = UNITS_PER_PRICE[price_key.rsplit("_", 1)[-1]]
    return (price / units).quantize(Decimal("1e-12"), ROUND_HALF_UP) * units


def _rounded_prices(prices: ModelPrice) -> ModelPrice:
    return ModelPrice(
        **{
            key: TieredPrices(
                rounded_price(key, price.base),
                [Tier(tier.start, rounded_price(key, tier.price)) for tier in price.tiers],
            )
            if isinstance(price, TieredPrices)
            else rounded_price(key, price)
            for key, price in vars(prices).items()
            if price is not None
        }
    )


def _rounded_model(model: ModelInfo) -> ModelInfo:
    return replace(
        model,
        prices=[replace(item, prices=_rounded_prices(item.prices)) for item in model.prices]
        if isinstance(model.prices, list)
        else _rounded_prices(model.prices),
        price_variants=[replace(item, prices=_rounded_prices(item.prices)) for item in model.price_variants or []],
    )


LIBRARY = DataSnapshot(
    [replace(provider, models=[_rounded_model(model) for model in provider.models]) for provider in providers],
    from_auto_update=False,
)

MODELS = [(provider, model) for provider in LIBRARY.providers for model in provider.models]


@cache
def library_model(provider: str, model: str) -> tuple[Provider, ModelInfo] | None:
    """Whose prices of which model the library takes for a logged name; provider '' is not logged."""
    try:
        seller, found = LIBRARY.find_provider_model(model, None, provider or None, None)
    except LookupError:
        return None
    books = [seller, *(book for book in LIBRARY.providers if book.id in (seller.fallback_model_providers or []))]
    return next(book for book in books if any(found is own for own in book.models)), found


def reads_further_than_the_library(provider: str, model: str) -> bool:
    """An unknown provider's name is ours to infer, and so is what stands behind a gateway's prefix."""
    if not model.lower().startswith(GATEWAY_PREFIXES):
        return provider == "acme"
    return provider in ("", "acme") or library_model(provider, model) is None


def library_cost(call: Call) -> Decimal:
    """`genai_prices.calc_price`, of a call with a name that the library knows."""
    price = LIBRARY.calc(_usage(call), call.model, call.provider or None, None, call.started_at, call.context)
    return price.total_price


def price_book_cost(call: Call) -> Decimal:
    """The same from the price list of the model's owner alone: without what the library adds for some sellers."""
    _, model = library_model(call.provider, call.model)
    return model.get_prices(call.started_at, call.context).calc_price(_usage(call))["total_price"]


def corrected_cost(call: Call) -> Decimal | None:
    """The cost by the rows of our price book that are not from the library; None where they do not price the call.

    The prices are looked up here as a person would, and multiplied by the library.
    """
    owner, model = library_model(call.provider, call.model)
    day, clock = call.started_at.date().isoformat(), f"{call.started_at:%H:%M}"
    weekday = f"{call.started_at:%a}".lower()
    prices = {
        PRICE_KEYS[row["usage_type"]]: Decimal(row["price_usd"])
        for row in corrected_rows().get((owner.id, model.id), [])
        if row["valid_from"] <= day < (row["valid_to"] or "9999")
        and weekday in (row["weekdays"] or weekday)
        and _is_between(clock, row["clock_from"] or "00:00", row["clock_to"] or "24:00")
    }
    return ModelPrice(**prices).calc_price(_usage(call))["total_price"] if prices else None


def _is_between(clock: str, start: str, end: str) -> bool:
    return start <= clock < end if start < end else clock >= start or clock < end


@cache
def corrected_rows() -> Mapping[tuple[str, str], list[dict[str, str]]]:
    """Rows of our price book that are not from the library, by provider and model."""
    rows: dict[tuple[str, str], list[dict[str, str]]] = {}
    with (project_dir() / "seeds" / "prices" / "model_prices.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if not row["source"].startswith("genai-prices"):
                rows.setdefault((row["provider_id"], row["model_id"]), []).append(row)
    return rows


def unbilled_quantities(call: Call) -> set[str]:
    """Wholes that the call used and the price list in force has no price for."""
    _, model = library_model(call.provider, call.model)
    prices = vars(model.get_prices(call.started_at, call.context))
    return {
        name for name in WHOLES if prices and call.quantities.get(name, 0) and prices.get(LIBRARY_KEYS[name][1]) is None
    }


def variant_start_dates(model: ModelInfo, context: Mapping[str, str]) -> set[date]:
    """The days from which the library knows prices of a service tier or speed."""
    constraints = (item.constraint for item in model.price_variants or [] if item.when.items() <= context.items())
    return {constraint.start_date for constraint in constraints if isinstance(constraint, StartDateConstraint)}


def _usage(call: Call) -> Usage:
    """Every quantity is stated: what the library is not told it may refuse to infer."""
    usage = {key: call.quantities.get(name, 0) for name, (key, _) in LIBRARY_KEYS.items()}
    usage["audio_seconds"] = usage["audio_seconds"] or usage["input_audio_seconds"] + usage["output_audio_seconds"]
    return Usage(**usage)


def spellings(model: ModelInfo) -> set[str]:
    """Names that the model's rules accept, dated and compact ones, and near misses."""
    names = {model.id, *_literal_texts(model.match)}
    dated = {f"{model.id}-20251211", f"{model.id}-2026-01-15", f"{model.id}-tts"}
    compact = {name.replace("-2026-", "-2026").replace("-2025-", "-2025") for name in names}
    return names | dated | compact


def _literal_texts(clause: MatchLogic) -> Iterator[str]:
    match clause:
        case ClauseEquals(equals=text) | ClauseContains(contains=text):
            yield text
        case ClauseStartsWith(starts_with=text):
            yield from (text, f"{text}-zz")
        case ClauseEndsWith(ends_with=text):
            yield f"zz-{text}"
        case _:
            for part in getattr(clause, "or_", getattr(clause, "and_", ())):
                yield from _literal_texts(part)


def logged_names() -> list[tuple[str, str]]:
    """Provider and model as logged: every spelling under its provider, and many under another or none."""
    chooser = random.Random(7)
    names = sorted({(provider.id, name) for provider, model in MODELS for name in spellings(model)})
    moved = [(provider, name) for provider in PROVIDER_NAMES for _, name in chooser.sample(names, 150)]
    resold = [(seller, name) for owner, name in names for seller in resellers(owner)]
    bare = [("", name) for _, name in chooser.sample(names, 2000)]
    return sorted({*names, *moved, *resold, *bare})


def resellers(owner: str) -> list[str]:
    """The providers that are billed from `owner`'s price list for what theirs does not have."""
    return [provider.id for provider in LIBRARY.providers if owner in (provider.fallback_model_providers or ())]
