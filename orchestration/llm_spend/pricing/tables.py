"""The price seeds as tables of text, in the order of their keys."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from genai_prices.types import MatchLogic, ModelInfo, Provider

from llm_spend.pricing.match_rules import rule_groups
from llm_spend.pricing.rate_cards import FREE_USAGE_TYPES, USAGE_TYPES, model_rate_cards, quoted_price

Row = tuple[str, ...]


@dataclass(frozen=True)
class Seed:
    """A CSV file of text columns; the first `key_width` columns identify a row and order the file.

    `provenance` columns tell where a row is from; a row that differs only there is not reported as changed.
    """

    name: str
    columns: Sequence[str]
    key_width: int
    rows: Sequence[Row]
    provenance: Sequence[str] = ()


def price_seeds(providers: Sequence[Provider], source: str) -> list[Seed]:
    """All generated seeds; rows sorted by their key."""
    models = [(provider, str(n), model) for provider in providers for n, model in enumerate(provider.models, 1)]
    ordinals = [(provider, str(n)) for n, provider in enumerate(providers, 1)]
    return [
        _seed(
            "model_prices",
            "provider_id,model_id,service_tier,speed,usage_type,context_above_tokens,context_inclusive,valid_from,valid_to,"
            "clock_from,clock_to,weekdays,price_usd,price_unit,source,verified_on,note",
            12,
            chain.from_iterable(_price_rows(provider.id, model, source) for provider, _, model in models),
            provenance=("source", "verified_on"),
        ),
        _seed(
            "models",
            "provider_id,model_id,model_ordinal,name,context_window,is_deprecated",
            2,
            (
                (
                    provider.id,
                    model.id,
                    ordinal,
                    model.name or "",
                    str(model.context_window or ""),
                    _boolean(bool(model.deprecated)),
                )
                for provider, ordinal, model in models
            ),
        ),
        _seed(
            "model_rules",
            "provider_id,model_id,model_ordinal,rule_group,kind,pattern,is_negated",
            6,
            (
                (provider.id, model.id, ordinal, *rule)
                for provider, ordinal, model in models
                for rule in _rule_rows(model.match)
            ),
        ),
        _seed(
            "providers",
            "provider_id,provider_ordinal,name,pricing_url",
            1,
            (
                (provider.id, ordinal, provider.name, (provider.pricing_urls or [""])[0])
                for provider, ordinal in ordinals
            ),
        ),
        _seed(
            "provider_rules",
            "provider_id,provider_ordinal,purpose,rule_group,kind,pattern,is_negated",
            6,
            (
                (provider.id, ordinal, purpose, *rule)
                for provider, ordinal in ordinals
                for purpose, clause in (
                    ("provider", provider.provider_match),
                    ("model", provider.model_match),
                )
                if clause
                for rule in _rule_rows(clause)
            ),
        ),
        _seed(
            "provider_fallbacks",
            "provider_id,fallback_ordinal,fallback_provider_id",
            2,
            (
                (provider.id, str(n), fallback)
                for provider, _ in ordinals
                for n, fallback in enumerate(provider.fallback_model_providers or [], 1)
            ),
        ),
    ]


def csv_text(seed: Seed) -> str:
    """The seed as CSV: a header, LF line ends, quotes only where needed."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([seed.columns, *seed.rows])
    return buffer.getvalue()


def _seed(name: str, columns: str, key_width: int, rows: Iterable[Row], provenance: Sequence[str] = ()) -> Seed:
    in_order = sorted(rows, key=lambda row: [_sort_value(text) for text in row[:key_width]])
    return Seed(name, columns.split(","), key_width, in_order, provenance)


def _sort_value(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() else (0, text)


def _price_rows(provider_id: str, model: ModelInfo, source: str) -> Iterator[Row]:
    for mode, cards in model_rate_cards(model).items():
        for card in cards:
            for tier in card.context_tiers:
                quotes = [
                    (USAGE_TYPES[key], *quoted_price(price, USAGE_TYPES[key])) for key, price in tier.prices.items()
                ]
                for usage_type, price_usd, note in quotes or [(free, "0", "free") for free in FREE_USAGE_TYPES]:
                    yield (
                        provider_id,
                        model.id,
                        mode.service_tier,
                        mode.speed,
                        usage_type.name,
                        *_threshold(tier.above_tokens),
                        str(card.valid_from or ""),
                        str(card.valid_to or ""),
                        card.clock_from or "",
                        card.clock_to or "",
                        "",
                        price_usd,
                        usage_type.price_unit,
                        source,
                        "",
                        note,
                    )


def _threshold(above_tokens: int) -> tuple[str, str]:
    """`context_above_tokens` and `context_inclusive`: the library writes "from 200000 on" as "above 199999"."""
    if above_tokens % 1000 == 999:
        return str(above_tokens + 1), _boolean(True)
    return str(above_tokens), _boolean(False)


def _rule_rows(clause: MatchLogic) -> Iterator[Row]:
    for number, group in enumerate(rule_groups(clause), 1):
        for rule in group:
            yield str(number), rule.kind, rule.pattern, _boolean(rule.is_negated)


def _boolean(value: bool) -> str:
    return "true" if value else "false"
