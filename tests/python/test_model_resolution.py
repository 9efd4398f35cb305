"""What a logged name means: the same model as in genai-prices, and the user's own rules before it."""

from pathlib import Path

import pytest

from conftest import build_models, query, write_jsonl
from price_reference import library_model, logged_names, reads_further_than_the_library

GATEWAY_NAMES = [
    ("", "openrouter/anthropic/claude-3.7-sonnet", "openrouter", "anthropic/claude-3.7-sonnet", "model_prefix"),
    ("", "azure/claude-opus-4-5", "anthropic", "claude-opus-4-5", "fallback_provider"),
    ("", "litellm_proxy/gemini/gemini-2.5-pro", "google", "gemini-2.5-pro", "model_prefix"),
    ("openai", "openai/gpt-4o", "openai", "gpt-4o", "stated_provider"),
    ("fireworks_ai", "fireworks_ai/accounts/fireworks/models/glm-5p2", "fireworks", "glm-5p2", "stated_provider"),
    ("acme", "gpt-4o-mini", "openai", "gpt-4o-mini", "model_name"),
    ("openai", "nonsense", None, None, "unknown_model"),
    ("", "ollama/nonsense", None, None, "unknown_provider"),
]

OWN_RULES = """
priority,provider,kind,pattern,provider_id,model_id
1,our-proxy,,GPT-4o,anthropic,claude-opus-4-5
2,our-proxy,starts_with,gpt-4o,openai,gpt-4.1
3,our-proxy,regex,^fast-v[0-9]+$,openai,gpt-4.1-mini
3,our-proxy,ends_with,-cheap,openai,gpt-4.1-nano
3,our-proxy,contains,house,our-cluster,house-llm
4,,equals,team-model,openai,gpt-4.1-mini
"""

OWN_PRICES = """
provider_id,model_id,usage_type,price,price_unit
our-cluster,House-LLM,input,0.2,1M tokens
our-cluster,House-LLM,output,0.4,1M tokens
"""

OWN_NAMES = [
    # A rule wins over the price book, whatever case the log has, and the lowest priority wins over the others.
    ("our-proxy", "gpt-4o", "anthropic", "claude-opus-4-5", "own_rule"),
    ("Our-Proxy", "GPT-4O", "anthropic", "claude-opus-4-5", "own_rule"),
    ("our-proxy", "gpt-4o-mini", "openai", "gpt-4.1", "own_rule"),
    ("our-proxy", "fast-v12", "openai", "gpt-4.1-mini", "own_rule"),
    ("our-proxy", "anything-cheap", "openai", "gpt-4.1-nano", "own_rule"),
    ("our-proxy", "the-house-model", "our-cluster", "house-llm", "own_rule"),
    # A rule without a provider holds for all, and where none is logged.
    ("our-proxy", "team-model", "openai", "gpt-4.1-mini", "own_rule"),
    ("", "team-model", "openai", "gpt-4.1-mini", "own_rule"),
    # A model that only price_overrides knows has its own name, under its provider or none.
    ("our-cluster", "house-llm", "our-cluster", "house-llm", "own_model"),
    ("our-cluster", "HOUSE-LLM", "our-cluster", "house-llm", "own_model"),
    ("", "house-llm", "our-cluster", "house-llm", "own_model"),
    # Near misses: another provider, a letter where the pattern wants digits, more than the name, a part of it.
    ("openai", "gpt-4o-mini-2024-07-18", "openai", "gpt-4o-mini", "stated_provider"),
    ("our-proxy", "fast-v12b", None, None, "unknown_provider"),
    ("our-proxy", "very-fast-v12", None, None, "unknown_provider"),
    ("our-proxy", "cheap-model", None, None, "unknown_provider"),
    ("", "team-model-2", None, None, "unknown_provider"),
    ("", "fast-v12", None, None, "unknown_provider"),
    ("openai", "house-llm", None, None, "unknown_model"),
    ("our-cluster", "house-llm-2", None, None, "unknown_provider"),
]


@pytest.fixture(scope="module")
def warehouse(module_path: Path) -> Path:
    """A log of nothing but names, resolved with rules and prices of the user's own."""
    config = module_path / "config"
    config.mkdir()
    (config / "model_aliases.csv").write_text(OWN_RULES.lstrip(), encoding="utf-8")
    (config / "price_overrides.csv").write_text(OWN_PRICES.lstrip(), encoding="utf-8")
    named_by_hand = [(provider, model) for provider, model, *_ in [*GATEWAY_NAMES, *OWN_NAMES]]
    log = write_jsonl(
        module_path / "names.jsonl",
        (
            {"started_at": "2026-05-01T00:00:00Z", "provider": provider or None, "model": model}
            for provider, model in [*logged_names(), *named_by_hand]
        ),
    )
    build_models(module_path / "spend.duckdb", log, "int_models_resolved", config=config)
    return module_path / "spend.duckdb"


def test_logged_names_mean_the_same_model_as_in_the_library(warehouse: Path) -> None:
    resolved = query(
        warehouse,
        "select provider, model, priced_provider_id, priced_model_id from intermediate.int_models_resolved"
        " where resolution not in ('own_rule', 'own_model')",
    )
    comparable = [row for row in resolved if not reads_further_than_the_library(*row[:2])]
    assert {row[:2] for row in resolved} >= set(logged_names())
    assert len(comparable) > 10_000
    assert [
        (provider, model, priced_as, library_ids(provider, model))
        for provider, model, *priced_as in comparable
        if tuple(priced_as) != library_ids(provider, model)
    ] == []


def library_ids(provider: str, model: str) -> tuple[str | None, str | None]:
    """Provider and model whose prices genai-prices takes; an unknown provider has none."""
    meant = library_model(provider, model)
    return (meant[0].id, meant[1].id) if meant else (None, None)


@pytest.mark.parametrize(("provider", "model", "provider_id", "model_id", "resolution"), GATEWAY_NAMES)
def test_gateway_names(
    warehouse: Path, provider: str, model: str, provider_id: str | None, model_id: str | None, resolution: str
) -> None:
    assert resolution_of(warehouse, provider, model) == (provider_id, model_id, resolution)


@pytest.mark.parametrize(("provider", "model", "provider_id", "model_id", "resolution"), OWN_NAMES)
def test_own_rules_come_first_and_hold_for_nothing_else(
    warehouse: Path, provider: str, model: str, provider_id: str | None, model_id: str | None, resolution: str
) -> None:
    assert resolution_of(warehouse, provider, model) == (provider_id, model_id, resolution)


def resolution_of(warehouse: Path, provider: str, model: str) -> tuple[str | None, str | None, str]:
    [found] = query(
        warehouse,
        "select priced_provider_id, priced_model_id, resolution from intermediate.int_models_resolved"
        " where provider = lower(?) and model = ?",
        provider,
        model,
    )
    return found
