"""The data of `genai-prices` as tables of text, in the order of their keys."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from genai_prices.types import MatchLogic, Provider

from llm_spend.pricing.match_rules import rule_groups
from llm_spend.pricing.rate_cards import FREE_USAGE_TYPES, USAGE_TYPES, RateCard, model_rate_cards, quoted_price
from llm_spend.pricing.timelines import MODEL_PRICE_COLUMNS, PriceLine, Row, Series, Timeline, span


@dataclass(frozen=True)
class Seed:
    """A CSV file of text columns; the first `key_width` columns identify a row and order the file.

    The first `owner_width` columns name the provider or the provider and model that a row is about.
    """

    name: str
    columns: Sequence[str]
    owner_width: int
    key_width: int
    rows: Sequence[Row]

    def with_rows(self, rows: Iterable[Row]) -> "Seed":
        in_order = sorted(rows, key=lambda row: [_sort_value(text) for text in row[: self.key_width]])
        return replace(self, rows=in_order)


def library_timelines(providers: Sequence[Provider], source: str) -> dict[Series, Timeline]:
    """What each model costs by service tier and speed."""
    return {
        Series(provider.id, model.id, *mode): _timeline(cards, source)
        for provider in providers
        for model in provider.models
        for mode, cards in model_rate_cards(model).items()
    }


def model_prices(rows: Iterable[Row]) -> Seed:
    """`model_prices.csv` with these rows."""
    return Seed("model_prices", MODEL_PRICE_COLUMNS, 2, 12, ()).with_rows(rows)


def name_seeds(providers: Sequence[Provider]) -> list[Seed]:
    """Providers, models and the rules that tell which one a logged name means."""
    models = [(provider, str(n), model) for provider in providers for n, model in enumerate(provider.models, 1)]
    ordinals = [(provider, str(n)) for n, provider in enumerate(providers, 1)]
    return [
        _seed(
            "models",
            "provider_id,model_id,model_ordinal,name,context_window,is_deprecated",
            2,
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
            2,
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
            1,
            (
                (provider.id, ordinal, provider.name, (provider.pricing_urls or [""])[0])
                for provider, ordinal in ordinals
            ),
        ),
        _seed(
            "provider_rules",
            "provider_id,provider_ordinal,purpose,rule_group,kind,pattern,is_negated",
            1,
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
            1,
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


def _seed(name: str, columns: str, owner_width: int, key_width: int, rows: Iterable[Row]) -> Seed:
    return Seed(name, columns.split(","), owner_width, key_width, ()).with_rows(rows)


def _sort_value(text: str) -> tuple[int, str]:
    return (int(text), "") if text.isdecimal() else (0, text)


def _timeline(cards: Sequence[RateCard], source: str) -> Timeline:
    days = dict.fromkeys((card.valid_from, card.valid_to) for card in cards)
    return [
        span(
            valid_from,
            valid_to,
            (
                line
                for card in cards
                if (card.valid_from, card.valid_to) == (valid_from, valid_to)
                for line in _lines(card, source)
            ),
        )
        for valid_from, valid_to in days
    ]


def _lines(card: RateCard, source: str) -> Iterator[PriceLine]:
    for tier in card.context_tiers:
        quotes = [(USAGE_TYPES[key], *quoted_price(price, USAGE_TYPES[key])) for key, price in tier.prices.items()]
        for usage_type, price_usd, note in quotes or [(free, "0", "free") for free in FREE_USAGE_TYPES]:
            yield PriceLine(
                usage_type.name,
                *_threshold(tier.above_tokens),
                clock_from=card.clock_from or "",
                clock_to=card.clock_to or "",
                weekdays="",
                price_usd=price_usd,
                price_unit=usage_type.price_unit,
                source=source,
                verified_on="",
                note=note,
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
