"""Calls to compare our costs with the library's on: of every priced thing, near the edges of what prices depend on."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from genai_prices.types import ModelInfo, ModelPrice, Provider, StartDateConstraint, TieredPrices, TimeOfDateConstraint

from price_reference import (
    CONTEXTS,
    LIBRARY_KEYS,
    MODELS,
    Call,
    corrected_rows,
    library_model,
    reads_further_than_the_library,
    resellers,
    spellings,
)

INPUT_LEAVES = {
    "cached text": "cached_input_tokens",
    "cached audio": "cached_audio_tokens",
    "cached image": "cached_image_tokens",
    "write": "cache_write_tokens",
    "write for an hour": "cache_write_1h_tokens",
    "audio": "input_audio_tokens",
    "image": "input_image_tokens",
    "video": "input_video_tokens",
}
"""Disjoint parts of the input, and the quantity each is billed as."""

OUTPUT_PARTS = (
    "reasoning_tokens",
    "citation_tokens",
    "output_audio_tokens",
    "output_image_tokens",
    "output_video_tokens",
)


class Shares(dict[str, int]):
    """A part that did not occur has none."""

    def __missing__(self, part: str) -> int:
        return 0


def random_calls(more: int) -> list[Call]:
    """A call of every model under one of its names, and `more`, most of them of models with intricate prices."""
    chooser = random.Random(11)
    intricate = [(provider, model) for provider, model in MODELS if _is_intricate(model)]
    chosen = [*MODELS, *(chooser.choice(intricate if n % 4 else MODELS) for n in range(more))]
    return [_random_call(chooser, *pair, own_name=n < len(MODELS)) for n, pair in enumerate(chosen)]


def calls_of_corrected_models(number: int) -> list[Call]:
    """Calls on and around the days and clock times from which the corrected prices hold."""
    chooser = random.Random(13)
    models = [(owner, model) for owner, model in MODELS if (owner.id, model.id) in corrected_rows()]
    calls = []
    for _ in range(number):
        owner, model = chooser.choice(models)
        row = chooser.choice(corrected_rows()[owner.id, model.id])
        day = date.fromisoformat(row["valid_from"] or row["valid_to"] or "2026-01-01")
        clock = time.fromisoformat(row["clock_from"] or "12:00")
        moment = datetime.combine(day + timedelta(days=chooser.randrange(-7, 8)), clock, UTC)
        call = _random_call(chooser, owner, model, own_name=True)
        calls.append(replace(call, started_at=moment + timedelta(seconds=chooser.choice([-1, 0, 7_200]))))
    return calls


def _is_intricate(model: ModelInfo) -> bool:
    return (
        isinstance(model.prices, list)
        or bool(model.price_variants)
        or any(isinstance(price, TieredPrices) for price in vars(model.prices).values())
        or bool(priced_quantities(model) - {"input_tokens", "output_tokens", "cached_input_tokens"})
    )


def _price_lists(model: ModelInfo) -> list[ModelPrice]:
    standard = [item.prices for item in model.prices] if isinstance(model.prices, list) else [model.prices]
    return [*standard, *(variant.prices for variant in model.price_variants or [])]


def priced_quantities(model: ModelInfo) -> set[str]:
    keys = {key for prices in _price_lists(model) for key, price in vars(prices).items() if price is not None}
    return {name for name, (_, key) in LIBRARY_KEYS.items() if key in keys}


def _random_call(chooser: random.Random, owner: Provider, model: ModelInfo, own_name: bool) -> Call:
    provider, name = _own_name(chooser, owner, model) if own_name else _any_name(chooser, owner, model)
    modes = [variant.when for variant in model.price_variants or []]
    tiers = [tier for tier, context in CONTEXTS.items() if context in modes] or ["default"]
    service_tier = chooser.choice(tiers if chooser.random() < 0.8 else list(CONTEXTS))
    is_fast = chooser.random() < (0.4 if {"speed": "fast"} in modes else 0.03)
    return Call(
        provider=provider,
        model=name,
        service_tier=service_tier,
        speed="fast" if is_fast else "",
        started_at=_random_moment(chooser, model),
        quantities=_random_quantities(chooser, model),
    )


@cache
def _own_names(owner: str, model: str) -> list[str]:
    names = {name for provider, info in MODELS if (provider.id, info.id) == (owner, model) for name in spellings(info)}
    return sorted(name for name in names if (meant := library_model(owner, name)) and meant[1].id == model)


def _own_name(chooser: random.Random, owner: Provider, model: ModelInfo) -> tuple[str, str]:
    return owner.id, chooser.choice(_own_names(owner.id, model.id))


def _any_name(chooser: random.Random, owner: Provider, model: ModelInfo) -> tuple[str, str]:
    """One of the model's names, at times without its provider or bought from a reseller, whatever it then means."""
    provider, name = _own_name(chooser, owner, model)
    other = chooser.choice(["", *resellers(owner.id), *[provider] * 3])
    is_comparable = library_model(other, name) and not reads_further_than_the_library(other, name)
    return (other, name) if is_comparable else (provider, name)


def _random_moment(chooser: random.Random, model: ModelInfo) -> datetime:
    """Around the first days and the clock windows of the model's prices."""
    conditional = model.prices if isinstance(model.prices, list) else []
    constraints = [item.constraint for item in [*conditional, *(model.price_variants or [])]]
    days = [c.start_date for c in constraints if isinstance(c, StartDateConstraint)] or [date(2025, 3, 1)]
    clocks = [clock for c in constraints if isinstance(c, TimeOfDateConstraint) for clock in (c.start_time, c.end_time)]
    day = chooser.choice(days) + timedelta(days=chooser.choice([-1, 0, 1, chooser.randrange(-400, 400)]))
    clock = chooser.choice([time.min, *clocks]).replace(tzinfo=None)
    seconds = chooser.choice([-1, 0, chooser.randrange(86_400)])
    return datetime.combine(day, clock, UTC) + timedelta(seconds=seconds)


def _random_quantities(chooser: random.Random, model: ModelInfo) -> dict[str, int]:
    """What the model prices, and now and then a part that it does not; parts fit into their wholes."""
    priced = priced_quantities(model) or {"input_tokens", "output_tokens"}

    def occurs(name: str) -> bool:
        return chooser.random() < (0.7 if name in priced else 0.1)

    quantities: dict[str, int] = {}
    if "input_tokens" in priced:
        quantities |= _random_input(chooser, model, occurs)
    if "output_tokens" in priced:
        parts = filter(occurs, OUTPUT_PARTS)
        quantities |= _random_whole(chooser, "output_tokens", chooser.randrange(1, 20_000), parts)
    if {"audio_seconds", "input_audio_seconds"} & priced:
        parts = filter(occurs, ("input_audio_seconds", "output_audio_seconds"))
        seconds = chooser.randrange(1, chooser.choice([20, 9_000]))
        quantities |= _random_whole(chooser, "audio_seconds", seconds, parts)
    if "pages" in priced:
        parts = filter(occurs, ("annotated_pages",))
        quantities |= _random_whole(chooser, "pages", chooser.randrange(1, 500), parts)
    for name, most in (("characters", 90_000), ("messages", 40), ("web_search_requests", 20), ("storage_searches", 20)):
        if name in priced and (occurs(name) or not quantities):
            quantities[name] = chooser.randrange(1, most)
    return quantities


def _random_input(chooser: random.Random, model: ModelInfo, occurs: Callable[[str], bool]) -> dict[str, int]:
    thresholds = {
        tier.start
        for prices in _price_lists(model)
        for price in vars(prices).values()
        if isinstance(price, TieredPrices)
        for tier in price.tiers
    }
    near = [threshold + step for threshold in sorted(thresholds) for step in (-1, 0, 1)]
    total = chooser.choice([*near, *[chooser.randint(1, 600_000)] * max(1, len(near))])
    share = _random_split(chooser, total, [leaf for leaf, name in INPUT_LEAVES.items() if occurs(name)])
    whole = {
        "input_tokens": total,
        "cached_input_tokens": share["cached text"] + share["cached audio"] + share["cached image"],
        "cached_audio_tokens": share["cached audio"],
        "cached_image_tokens": share["cached image"],
        "cache_write_tokens": share["write"] + share["write for an hour"],
        "cache_write_1h_tokens": share["write for an hour"],
        "input_audio_tokens": share["audio"] + share["cached audio"],
        "input_image_tokens": share["image"] + share["cached image"],
        "input_video_tokens": share["video"],
    }
    # A zero may go unsaid, except of what is in two wholes.
    said = {"input_tokens", "cached_audio_tokens", "cached_image_tokens"}
    return {name: n for name, n in whole.items() if n or name in said or chooser.random() < 0.5}


def _random_whole(chooser: random.Random, whole: str, total: int, parts: Iterator[str]) -> dict[str, int]:
    share = _random_split(chooser, total, list(parts))
    return {whole: total} | {part: n for part, n in share.items() if n}


def _random_split(chooser: random.Random, total: int, parts: list[str]) -> Shares:
    """Random shares of the parts that leave some, all or nothing of the total."""
    rest = chooser.choice([0, chooser.randint(0, total)])
    cuts = sorted(chooser.randint(0, total - rest) for _ in parts)
    return Shares({part: upper - lower for part, lower, upper in zip(parts, [0, *cuts], cuts, strict=False)})
