"""The cost of a call in SQL against the library that the prices are from: equal to the twelfth decimal."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from genai_prices.types import ModelInfo, Provider

from conftest import build_models, query, write_jsonl
from llm_spend.pricing.rate_cards import USAGE_TYPES
from price_reference import (
    LIBRARY_KEYS,
    MODELS,
    Call,
    corrected_cost,
    corrected_rows,
    library_cost,
    library_model,
    price_book_cost,
    unbilled_quantities,
    variant_start_dates,
)
from random_calls import calls_of_corrected_models, random_calls

BACKDATED = re.compile(r"\bfrom (\d{4}-\d{2}-\d{2}) in genai-prices\b")
"""The note of prices that hold before the day from which the library knows them."""


@dataclass(frozen=True)
class Bill:
    """What our models say of a call; `note` is that of its rate card."""

    call: Call
    priced_as: tuple[str | None, str | None]
    cost_status: str
    cost_usd: Decimal | None
    list_cost_usd: Decimal | None
    note: str


@pytest.fixture(scope="module")
def calls() -> list[Call]:
    return random_calls(more=5_000)


@pytest.fixture(scope="module")
def corrected_calls() -> list[Call]:
    return calls_of_corrected_models(400)


@pytest.fixture(scope="module")
def bills(module_path: Path, calls: list[Call], corrected_calls: list[Call]) -> list[Bill]:
    """The calls as an application logs them, loaded and priced."""
    logged = [*calls, *corrected_calls]
    log = write_jsonl(module_path / "calls.jsonl", (call.event(str(n)) for n, call in enumerate(logged)))
    build_models(module_path / "spend.duckdb", log, "int_attempts_priced")
    rows = query(
        module_path / "spend.duckdb",
        """
        with notes as (
            select cards.price_id, coalesce(string_agg(distinct prices.note, '; '), '') as note
            from intermediate.int_rate_cards as cards
            inner join intermediate.int_unit_prices as prices on cards.card_id = prices.card_id
            group by cards.price_id
        )

        select
            cast(attempts.event_id as integer),
            (attempts.priced_provider_id, attempts.priced_model_id),
            attempts.cost_status,
            attempts.cost_usd,
            attempts.list_cost_usd,
            notes.note
        from intermediate.int_attempts_priced as attempts
        left join notes on attempts.price_id = notes.price_id
        order by 1
        """,
    )
    return [Bill(logged[n], *row) for n, *row in rows]


def test_the_calls_cover_everything_that_has_a_price(calls: list[Call]) -> None:
    assert len(calls) >= 6_000
    assert {(owner.id, model.id) for owner, model in map(meant, calls)} == {(p.id, model.id) for p, model in MODELS}
    assert {name for call in calls for name, n in call.quantities.items() if n} == LIBRARY_KEYS.keys()
    assert {key for _, key in LIBRARY_KEYS.values()} | {"requests_kcount"} >= USAGE_TYPES.keys()
    assert {call.service_tier for call in calls} == {"default", "batch", "fast", "flex", "priority"}
    assert sum(call.speed == "fast" for call in calls) > 100
    assert sum(call.model != meant(call)[1].id for call in calls) > len(calls) / 4


def test_each_call_is_billed_once_by_the_model_that_the_library_means(
    bills: list[Bill], calls: list[Call], corrected_calls: list[Call]
) -> None:
    assert [bill.call for bill in bills] == [*calls, *corrected_calls]
    assert [bill for bill in bills if bill.priced_as != tuple(part.id for part in meant(bill.call))] == []


def test_costs_equal_the_library_to_12_decimals(bills: list[Bill]) -> None:
    different = [
        (bill, reason, cost) for bill in bills for reason, cost in [expected_cost(bill)] if bill.cost_usd != cost
    ]
    assert not different, different[:5]
    assert all(bill.list_cost_usd == bill.cost_usd for bill in bills)


def expected_cost(bill: Bill) -> tuple[str, Decimal]:
    """What the cost must be; and why that is not the library's plain answer, where it is not."""
    call, (owner, model) = bill.call, meant(bill.call)
    corrected = corrected_cost(call)
    if corrected is not None:
        return "our price book has a public source that the library lacks", corrected
    if backdated_from(bill):
        return "the library dates a service tier by the day someone verified it", price_book_cost(as_dated(bill))
    if owner.id != (call.provider or owner.id) and (call.service_tier != "default" or call.speed):
        return "the library ignores service tier and speed of a fallback provider's model", price_book_cost(call)
    if owner.id == "groq" and model.id.startswith("whisper-") and call.quantities["audio_seconds"] < 10:
        return "the library bills Groq's whisper for ten seconds at least", price_book_cost(call)
    return "", library_cost(call)


def backdated_from(bill: Bill) -> date | None:
    """The later day from which the library knows the price that ours has on the day of the call."""
    note = BACKDATED.search(bill.note)
    day = date.fromisoformat(note[1]) if note else date.min
    return day if bill.call.started_at.date() < day else None


def as_dated(bill: Bill) -> Call:
    """The call on the day from which the library knows its price."""
    day = backdated_from(bill)
    return replace(bill.call, started_at=datetime.combine(day, bill.call.started_at.timetz())) if day else bill.call


def test_each_difference_has_its_reason(bills: list[Bill], calls: list[Call]) -> None:
    random_bills = bills[: len(calls)]
    reasons = Counter(expected_cost(bill)[0] for bill in random_bills if bill.cost_usd != library_cost(bill.call))
    assert "" not in reasons
    assert reasons.pop("the library dates a service tier by the day someone verified it") < len(calls) / 20
    assert reasons.total() < len(calls) / 100


def test_only_the_first_price_of_a_service_tier_is_backdated(bills: list[Bill]) -> None:
    backdated = [(bill, day) for bill in bills if (day := backdated_from(bill))]
    assert len(backdated) > 200
    for bill, day in backdated:
        assert day == min(variant_start_dates(meant(bill.call)[1], bill.call.context))


def test_only_deepseek_has_corrected_prices(corrected_calls: list[Call]) -> None:
    assert {provider for provider, _ in corrected_rows()} == {"deepseek"}
    assert all(corrected_cost(call) is not None for call in corrected_calls)


def test_the_cost_is_partial_where_something_has_no_price(bills: list[Bill]) -> None:
    for bill in bills:
        assert bill.cost_status == ("partial" if unbilled_quantities(as_dated(bill)) else "priced"), bill


def meant(call: Call) -> tuple[Provider, ModelInfo]:
    return library_model(call.provider, call.model)
