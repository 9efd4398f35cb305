"""The price book in SQL against the library it is made from: the same model, the same cost to 12 decimals."""

import csv
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from genai_prices.data import providers
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseContains,
    ClauseEndsWith,
    ClauseEquals,
    ClauseRegex,
    ClauseStartsWith,
    ConditionalPrice,
    MatchLogic,
    ModelInfo,
    ModelPrice,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
    Usage,
)

from llm_spend.errors import UserError
from llm_spend.paths import project_dir
from llm_spend.pricing.match_rules import Rule, rule_groups
from llm_spend.pricing.rate_cards import SERVICE_TIER_CONTEXTS, USAGE_TYPES, model_rate_cards, quoted_price
from llm_spend.pricing.refresh import refresh

PRICE_SEEDS = project_dir() / "seeds" / "prices"
KNOWN_PREFIXES = tuple(
    line.split(",")[0] for line in (PRICE_SEEDS / "model_prefixes.csv").read_text("utf-8").splitlines()
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
CALLS = 6_000

BILLED_PER_REQUEST = {("perplexity", f"sonar{suffix}") for suffix in ("", "-pro", "-reasoning", "-reasoning-pro")}
"""Their price per request is not among the six token prices of a rate card."""

GATEWAY_NAMES = [
    (
        "",
        "openrouter/anthropic/claude-3.7-sonnet",
        "openrouter",
        "anthropic/claude-3.7-sonnet",
        "model_prefix",
    ),
    ("", "azure/claude-opus-4-5", "anthropic", "claude-opus-4-5", "fallback_provider"),
    ("", "litellm_proxy/gemini/gemini-2.5-pro", "google", "gemini-2.5-pro", "model_prefix"),
    ("openai", "openai/gpt-4o", "openai", "gpt-4o", "stated_provider"),
    (
        "fireworks_ai",
        "fireworks_ai/accounts/fireworks/models/glm-5p2",
        "fireworks",
        "glm-5p2",
        "stated_provider",
    ),
    ("acme", "gpt-4o-mini", "openai", "gpt-4o-mini", "model_name"),
    ("openai", "nonsense", None, None, "unknown_model"),
    ("", "ollama/nonsense", None, None, "unknown_provider"),
]


@dataclass(frozen=True)
class Call:
    provider: Provider
    model: ModelInfo
    service_tier: str
    started_at: datetime
    input_tokens: int
    cached_input_tokens: int
    cache_write_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database with the price models, built by dbt over nothing but a table of logged names."""
    folder = tmp_path_factory.mktemp("prices")
    database = folder / "prices.duckdb"
    with duckdb.connect(database, config={"storage_compatibility_version": "v1.4.0"}) as connection:
        names = write_csv(folder / "names.csv", logged_names())
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_usage_events_identified as"
            " select coalesce(p, '') as provider, m as model"
            f" from read_csv('{names}', header = false, columns = {{'p': 'varchar', 'm': 'varchar'}})"
        )
    subprocess.run(
        [
            *(Path(sys.executable).with_name("dbt"), "build", "--exclude-resource-type", "test", "unit_test"),
            *("--project-dir", project_dir(), "--profiles-dir", project_dir()),
            *("--target-path", folder / "target", "--log-path", folder / "logs"),
            *("--select", "path:seeds/prices", "path:models/staging/prices"),
            *("int_rate_cards", "int_model_references", "int_models_resolved"),
        ],
        env=os.environ | {"LLM_SPEND_DUCKDB_PATH": str(database), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        check=True,
    )
    with duckdb.connect(database) as connection:
        yield connection


def write_csv(path: Path, rows: Iterable[tuple[object, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def logged_names() -> list[tuple[str, str]]:
    """Names that the rules accept, near misses and dated spellings; under their provider, another, none."""
    chooser = random.Random(7)
    names = sorted({(p.id, name) for p in providers for model in p.models for name in spellings(model)})
    moved = [(provider, name) for provider in PROVIDER_NAMES for _, name in chooser.sample(names, 150)]
    resold = [
        (provider.id, name)
        for provider in providers
        for owner, name in names
        if owner in (provider.fallback_model_providers or ())
    ]
    bare = [("", name) for _, name in chooser.sample(names, 2000)]
    gateways = [(provider, model) for provider, model, *_ in GATEWAY_NAMES]
    return sorted({*names, *moved, *resold, *bare, *gateways})


def spellings(model: ModelInfo) -> set[str]:
    names = {model.id, *literal_texts(model.match)}
    dated = {f"{model.id}-20251211", f"{model.id}-2026-01-15", f"{model.id}-tts"}
    compact = {name.replace("-2026-", "-2026").replace("-2025-", "-2025") for name in names}
    return names | dated | compact


def literal_texts(clause: MatchLogic) -> Iterator[str]:
    match clause:
        case ClauseEquals(equals=text) | ClauseContains(contains=text):
            yield text
        case ClauseStartsWith(starts_with=text):
            yield from (text, f"{text}-zz")
        case ClauseEndsWith(ends_with=text):
            yield f"zz-{text}"
        case _:
            for part in getattr(clause, "or_", getattr(clause, "and_", ())):
                yield from literal_texts(part)


def library_model(provider_name: str, model_name: str) -> tuple[str | None, str | None]:
    """Provider and model whose prices genai-prices takes."""
    try:
        provider, model = get_snapshot().find_provider_model(model_name, None, provider_name or None, None)
    except LookupError:
        return None, None
    books = [provider, *(p for p in providers if p.id in (provider.fallback_model_providers or []))]
    owner = next(book for book in books if any(model is own for own in book.models))
    return owner.id, model.id


def reads_further_than_the_library(provider: str, model: str) -> bool:
    """An unknown provider's name is ours to infer, and so is what stands behind a gateway's prefix."""
    if not model.lower().startswith(KNOWN_PREFIXES):
        return provider == "acme"
    return provider in ("", "acme") or library_model(provider, model) == (None, None)


def test_logged_names_mean_the_same_model_as_in_the_library(warehouse: duckdb.DuckDBPyConnection) -> None:
    resolved = warehouse.execute(
        "select provider, model, priced_provider_id, priced_model_id from intermediate.int_models_resolved"
    ).fetchall()
    comparable = [row for row in resolved if not reads_further_than_the_library(row[0], row[1])]
    assert len(resolved) == len(logged_names())
    assert len(comparable) > 10_000
    assert [
        (provider, model, priced_as, library_model(provider, model))
        for provider, model, *priced_as in comparable
        if tuple(priced_as) != library_model(provider, model)
    ] == []


def random_calls() -> list[Call]:
    chooser = random.Random(11)
    priced = [
        (provider, model)
        for provider in providers
        for model in provider.models
        if (provider.id, model.id) not in BILLED_PER_REQUEST
    ]
    intricate = [pair for pair in priced if len(rate_card_keys(pair[1])) > 1]
    return [random_call(chooser, *chooser.choice(intricate if n % 3 else priced)) for n in range(CALLS)]


def rate_card_keys(model: ModelInfo) -> list[tuple[str, object, int]]:
    return [
        (service_tier, card, tier.above_tokens)
        for service_tier, cards in model_rate_cards(model).items()
        for card in cards
        for tier in card.context_tiers
    ]


def random_call(chooser: random.Random, provider: Provider, model: ModelInfo) -> Call:
    """A call near the edges of the model's cards: around context thresholds, first days and clock windows."""
    service_tier, card, above_tokens = chooser.choice(rate_card_keys(model))
    day = (card.valid_from or date(2025, 1, 1)) + timedelta(days=chooser.choice([-1, 0, 1, chooser.randrange(700)]))
    clock = time.fromisoformat(card.clock_from or f"{chooser.randrange(24):02}:00")
    started_at = datetime.combine(day, clock) + timedelta(seconds=chooser.choice([-1, 0, chooser.randrange(86_400)]))
    input_tokens = above_tokens + chooser.choice([0, 1, chooser.randrange(400_000)])
    cached = chooser.choice([0, chooser.randint(0, input_tokens)])
    written = chooser.choice([0, chooser.randint(0, input_tokens - cached)])
    output_tokens = chooser.randrange(20_000)
    return Call(
        provider=provider,
        model=model,
        service_tier=service_tier,
        started_at=started_at,
        input_tokens=input_tokens,
        cached_input_tokens=cached,
        cache_write_tokens=written,
        cache_write_1h_tokens=chooser.choice([0, chooser.randint(0, written)]),
        output_tokens=output_tokens,
        reasoning_tokens=chooser.choice([0, chooser.randint(0, output_tokens)]),
    )


def library_cost(call: Call) -> Decimal:
    usage = Usage(
        input_tokens=call.input_tokens,
        cache_read_tokens=call.cached_input_tokens,
        cache_write_tokens=call.cache_write_tokens,
        cache_write_1h_tokens=call.cache_write_1h_tokens,
        output_tokens=call.output_tokens,
        output_reasoning_tokens=call.reasoning_tokens,
    )
    prices = call.model.get_prices(call.started_at, SERVICE_TIER_CONTEXTS[call.service_tier])
    return rounded(prices).calc_price(usage)["total_price"]


def rounded(prices: ModelPrice) -> ModelPrice:
    """The library's prices at our 12 decimals per unit."""

    def one(key: str, price: Decimal) -> Decimal:
        return Decimal(quoted_price(price, USAGE_TYPES[key])[0])

    return ModelPrice(
        **{
            key: TieredPrices(one(key, price.base), [Tier(tier.start, one(key, tier.price)) for tier in price.tiers])
            if isinstance(price, TieredPrices)
            else one(key, price)
            for key, price in vars(prices).items()
            if price is not None
        }
    )


COST_SQL = """
    with quantities as (
        select
            calls.call_id,
            cards.*,
            if(cached_input_unit_price is null, 0, cached_input) as cached_quantity,
            if(cache_write_1h_unit_price is null, 0, cache_write_1h) as write_1h_quantity,
            if(cache_write_unit_price is null, 0, cache_write - write_1h_quantity) as write_quantity,
            input - cached_quantity - write_quantity - write_1h_quantity as input_quantity,
            if(reasoning_unit_price is null, 0, reasoning) as reasoning_quantity,
            output - reasoning_quantity as output_quantity
        from calls
        left join intermediate.int_rate_cards as cards
            on calls.provider_id = cards.provider_id
            and calls.model_id = cards.model_id
            and calls.service_tier = cards.service_tier
            and cast(started_at as date) >= valid_from
            and cast(started_at as date) < valid_to
            and hour(started_at) * 60 + minute(started_at) >= clock_from_minute
            and hour(started_at) * 60 + minute(started_at) < clock_to_minute
            and input between min_input_tokens and max_input_tokens
    )

    select
        call_id,
        count(price_id),
        sum(
            coalesce(cast(input_quantity * input_unit_price as decimal(28, 12)), 0)
            + coalesce(cast(cached_quantity * cached_input_unit_price as decimal(28, 12)), 0)
            + coalesce(cast(write_quantity * cache_write_unit_price as decimal(28, 12)), 0)
            + coalesce(cast(write_1h_quantity * cache_write_1h_unit_price as decimal(28, 12)), 0)
            + coalesce(cast(output_quantity * output_unit_price as decimal(28, 12)), 0)
            + coalesce(cast(reasoning_quantity * reasoning_unit_price as decimal(28, 12)), 0)
        )
    from quantities
    group by call_id
    order by call_id
"""


def test_costs_equal_the_library_to_12_decimals(warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    calls = random_calls()
    rows = (
        (
            n,
            call.provider.id,
            call.model.id,
            call.service_tier,
            call.started_at.isoformat(" "),
            call.input_tokens,
            call.cached_input_tokens,
            call.cache_write_tokens,
            call.cache_write_1h_tokens,
            call.output_tokens,
            call.reasoning_tokens,
        )
        for n, call in enumerate(calls)
    )
    types = {"call_id": "bigint", "provider_id": "varchar", "model_id": "varchar", "service_tier": "varchar"}
    types |= {"started_at": "timestamp"}
    types |= dict.fromkeys(("input", "cached_input", "cache_write", "cache_write_1h", "output", "reasoning"), "bigint")
    warehouse.execute(
        f"create or replace temp table calls as from read_csv('{write_csv(tmp_path / 'calls.csv', rows)}',"
        f" header = false, columns = {types})"
    )
    costs = warehouse.execute(COST_SQL).fetchall()
    assert len(costs) == CALLS
    assert {cards for _, cards, _ in costs} == {1}
    assert {call.service_tier for call in calls} == set(SERVICE_TIER_CONTEXTS)
    different = [(calls[n], ours) for n, _, ours in costs if ours != library_cost(calls[n])]
    assert not different, different[:5]


@pytest.mark.parametrize(("provider", "model", "provider_id", "model_id", "resolution"), GATEWAY_NAMES)
def test_gateway_names(
    warehouse: duckdb.DuckDBPyConnection,
    provider: str,
    model: str,
    provider_id: str | None,
    model_id: str | None,
    resolution: str,
) -> None:
    found = warehouse.execute(
        "select priced_provider_id, priced_model_id, resolution from intermediate.int_models_resolved"
        " where provider = ? and model = ?",
        [provider, model],
    ).fetchall()
    assert found == [(provider_id, model_id, resolution)]


def test_the_price_seeds_are_those_of_the_installed_library(tmp_path: Path) -> None:
    copy = shutil.copytree(PRICE_SEEDS, tmp_path / "prices")
    report = refresh(copy)
    assert all(change.added == change.changed == change.removed == 0 for change in report.changes)
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == {
        path.name: path.read_bytes() for path in PRICE_SEEDS.iterdir()
    }


def test_a_refresh_reports_added_changed_and_removed_rows(tmp_path: Path) -> None:
    copy = shutil.copytree(PRICE_SEEDS, tmp_path / "prices")
    path = copy / "provider_fallbacks.csv"
    header, first, second, *rest = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([header, f"{first}-other", "zzz,1,openai", *rest, ""]), "utf-8")
    change = next(change for change in refresh(copy).changes if change.seed == "provider_fallbacks")
    assert (change.added, change.changed, change.removed) == (1, 1, 1)
    assert second in path.read_text("utf-8")


def test_a_refresh_into_no_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not a directory"):
        refresh(tmp_path / "nowhere")


def test_a_window_over_midnight_becomes_two() -> None:
    night = ConditionalPrice(TimeOfDateConstraint(time(22, 30), time(6, 0)), prices=ModelPrice(input_mtok=Decimal(1)))
    model = ModelInfo(
        "m", ClauseEquals("m"), prices=[ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(2))), night]
    )
    assert [
        (card.clock_from, card.clock_to, card.context_tiers[0].prices["input_mtok"])
        for card in model_rate_cards(model)["default"]
    ] == [("00:00", "06:00", 1), ("06:00", "22:30", 2), ("22:30", "24:00", 1)]


def test_equal_neighbours_are_one_card() -> None:
    same = ModelPrice(input_mtok=Decimal(2))
    later = ConditionalPrice(StartDateConstraint(date(2026, 1, 1)), prices=ModelPrice(input_mtok=Decimal(2)))
    model = ModelInfo("m", ClauseEquals("m"), prices=[ConditionalPrice(prices=same), later])
    assert [(card.valid_from, card.valid_to) for card in model_rate_cards(model)["default"]] == [(None, None)]


def test_a_price_is_rounded_half_up_to_12_decimals_per_unit_and_says_so() -> None:
    tokens = USAGE_TYPES["input_mtok"]
    assert quoted_price(Decimal("0.18000000000000002"), tokens) == (
        "0.18",
        "rounded from 0.18000000000000002",
    )
    assert quoted_price(Decimal("0.0000005"), tokens) == ("0.000001", "rounded from 0.0000005")
    assert quoted_price(Decimal("120.00"), tokens) == ("120", "")


@pytest.mark.parametrize(
    ("regex", "rules"),
    [
        (r"^grok-4\.5\[fast=true\]$", (Rule("equals", "grok-4.5[fast=true]"),)),
        (r"^gpt-6-\d{4}$", (Rule("regex", "^gpt-6-[0-9]{4}$"),)),
        (r"^(?!.*-tts(?:$|-))", (Rule("regex", "-tts($|-)", is_negated=True),)),
        (r"^(?![^/]+/)(?:a|b)c", (Rule("regex", "^[^/]+/", is_negated=True), Rule("regex", "^(a|b)c"))),
    ],
)
def test_regular_expressions_become_portable(regex: str, rules: tuple[Rule, ...]) -> None:
    assert rule_groups(ClauseRegex(regex)) == [rules]


def test_a_regular_expression_outside_the_subset_is_refused() -> None:
    with pytest.raises(UserError, match="portable subset"):
        rule_groups(ClauseRegex(r"a(?=b)\w"))
