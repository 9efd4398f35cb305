"""Real LiteLLM asks a scripted provider; what our models say of each call is what the provider billed.

`make test-producers` installs LiteLLM into an environment of its own, under target/producers.
"""

import json
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conftest import build_sources, query

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
LITELLM = ROOT / "target" / "producers" / "litellm" / "bin" / "python"

USD_PER_MILLION = {
    # plain input, cached, written for 5 minutes, written for an hour, output
    "gpt-4o-mini": ("0.15", "0.075", "0.15", "0", "0.6"),
    "gpt-4o": ("2.5", "1.25", "2.5", "0", "10"),
    "gpt-4.1": ("2", "0.5", "2", "0", "8"),
    "gpt-5-mini": ("0.25", "0.025", "0.25", "0", "2"),
    "text-embedding-3-small": ("0.02", "0", "0", "0", "0"),
    "claude-sonnet-4-5": ("3", "0.3", "3.75", "6", "15"),
    "claude-haiku-4-5": ("1", "0.1", "1.25", "2", "5"),
}
"""List prices of the providers. OpenAI has none for cache writes: they are plain input."""

UNTOLD = {"streamed without usage": (None, None, None, None, None, None)}
"""Billed, but the provider tells the usage of a stream only to who asks for it."""

HIDDEN = {"hidden retry"}
"""The first attempt is in no log: without a router LiteLLM retries below its loggers."""

TOKENS = (
    *("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    "reasoning_tokens",
)
NO_TOKENS = (None,) * len(TOKENS)
STATUSES = {200: "success", 429: "rate_limited", "timeout": "timeout"}


@dataclass(frozen=True)
class Produced:
    """What LiteLLM wrote, and what the provider billed."""

    folder: Path
    cases: dict[str, dict[str, Any]]
    calls: dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def produced(tmp_path_factory: pytest.TempPathFactory) -> Produced:
    assert LITELLM.exists(), "run make test-producers"
    folder = tmp_path_factory.mktemp("litellm")
    subprocess.run([LITELLM, FOLDER / "litellm_produce.py", folder], check=True)
    calls = defaultdict(list)
    for call in json.loads((folder / "provider.json").read_text(encoding="utf-8")):
        calls[call["case"]].append(call)
    return Produced(folder, json.loads((folder / "cases.json").read_text(encoding="utf-8")), dict(calls))


def built(produced: Produced, file: str, mapping: str) -> dict[str, list[dict[str, Any]]]:
    """The attempts of each case, in the order they began."""
    columns = (*TOKENS, "event_id", "provider", "model", "status", "is_retry", "cache_hit", "tenant_id", "cost_status")
    columns += ("cost_usd", "reported_cost_usd")
    database = build_sources(
        produced.folder / f"{mapping}.duckdb",
        {produced.folder / file: mapping},
        *("fct_llm_attempts", "spend_coverage", "merged_calls"),
        as_of="2099-01-01 00:00:00",
    )
    assert query(
        database, "select quarantined_rows, rejected_rows, merged_rows, left_out_rows from marts.spend_coverage"
    ) == [(0, 0, 0, 0)]
    attempts = defaultdict(list)
    for values in query(database, f"select {', '.join(columns)} from marts.fct_llm_attempts order by started_at"):
        attempt = dict(zip(columns, values, strict=True))
        attempts[produced.cases[attempt["event_id"]]["case"]].append(attempt)
    return dict(attempts)


@pytest.fixture(scope="module")
def payloads(produced: Produced) -> dict[str, list[dict[str, Any]]]:
    return built(produced, "payloads.jsonl", "litellm-payload")


@pytest.fixture(scope="module")
def spend_logs(produced: Produced) -> dict[str, list[dict[str, Any]]]:
    return built(produced, "spend-logs.jsonl", "litellm")


def billed(call: dict[str, Any]) -> tuple[int | None, ...]:
    """What the log can know of a call's usage: nothing where it failed, even if the provider billed a cut stream."""
    usage = call["usage"]
    if call["status"] != 200 or call["truncated"]:
        return NO_TOKENS
    if call["case"] in UNTOLD:
        return UNTOLD[call["case"]]
    names = ("input", "output", "cached", "cache_write", "cache_write_1h", "reasoning")
    return tuple(usage[name] for name in names)


def cost(model: str, tokens: tuple[int, ...]) -> Decimal:
    """By hand: tokens × price."""
    price = [Decimal(usd) / 1_000_000 for usd in USD_PER_MILLION[model]]
    whole, output, cached, written, written_1h, _ = tokens
    parts = (whole - cached - written, cached, written - written_1h, written_1h, output)
    return sum((usd * part for usd, part in zip(price, parts, strict=True)), Decimal(0))


def told(attempt: dict[str, Any]) -> tuple[int | None, ...]:
    """An attempt's tokens; a part that the log does not mention is none."""
    values = tuple(attempt[name] for name in TOKENS)
    return values if values[0] is None else tuple(value or 0 for value in values)


def check_call(attempt: dict[str, Any], call: dict[str, Any], case: str) -> None:
    model = call["requested_model"]
    assert (attempt["provider"], attempt["model"]) == (call["provider"], model), case
    expected = "error" if call["truncated"] else STATUSES.get(call["status"], "error")
    assert (attempt["status"], attempt["cache_hit"]) == (expected, False), case
    assert told(attempt) == billed(call), case
    if attempt["status"] != "success":
        assert (attempt["cost_usd"], attempt["cost_status"]) == (0, "not_billed"), case
    elif case in UNTOLD:
        assert (attempt["cost_usd"], attempt["cost_status"]) == (None, "usage_missing"), case
    elif model not in USD_PER_MILLION:
        assert (attempt["cost_usd"], attempt["cost_status"], attempt["reported_cost_usd"]) == (None, "unpriced", None)
    else:
        assert attempt["cost_usd"] == cost(model, billed(call)), case
        assert attempt["reported_cost_usd"] == attempt["cost_usd"], case


def test_every_payload_is_the_call_that_the_provider_billed(
    produced: Produced, payloads: dict[str, list[dict[str, Any]]]
) -> None:
    assert payloads.keys() == produced.calls.keys()
    for case, calls in produced.calls.items():
        attempts = [attempt for attempt in payloads[case] if not attempt["cache_hit"]]
        logged = calls[-1:] if case in HIDDEN else calls
        assert len(attempts) == len(logged), case
        for attempt, call in zip(attempts, logged, strict=True):
            check_call(attempt, call, case)


def test_every_spend_log_is_the_call_that_the_provider_billed(
    produced: Produced, spend_logs: dict[str, list[dict[str, Any]]]
) -> None:
    answered = {
        case for case, calls in produced.calls.items() if calls[-1]["status"] == 200 and not calls[-1]["truncated"]
    }
    assert spend_logs.keys() == answered
    for case in answered:
        attempts = [attempt for attempt in spend_logs[case] if not attempt["cache_hit"]]
        assert len(attempts) == 1, case
        check_call(attempts[0], produced.calls[case][-1], case)


def test_an_answer_of_litellms_own_cache_costs_nothing(
    produced: Produced, payloads: dict[str, list[dict[str, Any]]], spend_logs: dict[str, list[dict[str, Any]]]
) -> None:
    assert len(produced.calls["own cache"]) == 1
    for attempts in (payloads["own cache"], spend_logs["own cache"]):
        first, hit = attempts
        assert (first["cache_hit"], hit["cache_hit"]) == (False, True)
        assert (hit["cost_usd"], hit["input_tokens"], hit["cost_status"]) == (0, 0, "not_billed")


def test_the_retries_of_a_router_are_retries(payloads: dict[str, list[dict[str, Any]]]) -> None:
    assert [attempt["is_retry"] for attempt in payloads["retried"]] == [False, True]
    assert [attempt["is_retry"] for attempt in payloads["fallback"]][-1]
    assert [attempt["tenant_id"] for attempt in payloads["plain"]] == ["acme"]
