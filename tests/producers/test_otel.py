"""Real SDKs under real instrumentations ask a scripted provider; what our models say of each call is what it billed.

`make test-producers` installs them into an environment of its own, under target/producers.
"""

import os
import subprocess
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conftest import build_sources, query
from otel_produce import PRODUCERS
from stub_provider import stub_provider

FOLDER = Path(__file__).parent
PYTHON = FOLDER.parents[1] / "target" / "producers" / "otel" / "bin" / "python"

USD_PER_MILLION = {
    # plain input, cached, written for 5 minutes, written for an hour, output
    "gpt-4o-mini-2024-07-18": ("0.15", "0.075", "0.15", "0.15", "0.6"),
    "gpt-5-mini-2025-08-07": ("0.25", "0.025", "0.25", "0.25", "2"),
    "gpt-4.1-mini-2025-04-14": ("0.4", "0.1", "0.4", "0.4", "1.6"),
    "text-embedding-3-small": ("0.02", "0.02", "0.02", "0.02", "0"),
    "claude-haiku-4-5-20251001": ("1", "0.1", "1.25", "2", "5"),
}
"""List prices of the providers."""

TOKENS = ("input", "output", "cached", "cache_write", "cache_write_1h", "reasoning")
NO_TOKENS = (None,) * len(TOKENS)
STATUSES = {200: "success", 429: "rate_limited", "timeout": "timeout"}
KNOWS_THE_HOUR = {
    *("native-anthropic", "openinference-anthropic", "genai+native-anthropic", "openinference+native-anthropic"),
}
"""Others do not say which cache writes are for an hour: those are taken for five minutes."""

Call = tuple[str, str, tuple[int | None, ...], Decimal | None]
"""Model, status, tokens, cost."""


@pytest.fixture(scope="module")
def produced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[list[dict[str, Any]]]]]:
    """The database, and of each case what the provider served: a list of attempts per call."""
    assert PYTHON.exists(), "run make test-producers"
    folder = tmp_path_factory.mktemp("otel")
    served: dict[str, list[list[dict[str, Any]]]] = defaultdict(list)
    strange = ("OTEL_", "OPENAI_", "ANTHROPIC_", "OPENINFERENCE_", "TRACELOOP_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    for producer, (_, _, environment) in PRODUCERS.items():
        with stub_provider(sleep_timeout=0.8) as (url, log):
            subprocess.run(
                [PYTHON, FOLDER / "otel_produce.py", producer, url, folder / f"{producer}.jsonl"],
                env={**clean, "NO_PROXY": "*", "TRACELOOP_TELEMETRY": "false", **environment},
                check=True,
                timeout=300,
            )
            for entry in log:
                if entry["scenario"] == "unbilled":
                    continue
                calls = served["/".join(entry["case"].split("/")[:2])]
                if not calls or calls[-1][-1]["case"] != entry["case"] or calls[-1][-1]["status"] == 200:
                    calls.append([])
                calls[-1].append(entry)
    logs = {folder / f"{producer}.jsonl": "otel" for producer in PRODUCERS}
    return build_sources(folder / "otel.duckdb", logs, "spend_coverage", "merged_calls"), dict(served)


def billed(producer: str, case: str, attempts: list[dict[str, Any]]) -> Call:
    """What the provider billed for a call, as far as the producer can know it."""
    last = attempts[-1]
    status = STATUSES.get(last["status"], "error")
    model = last["model"] if status == "success" else last["requested_model"]
    if status != "success":
        return model, status, NO_TOKENS, Decimal(0)
    if case == "streamed without usage":
        return model, status, NO_TOKENS, None
    used = {part: last["usage"][part] for part in TOKENS}
    if producer not in KNOWS_THE_HOUR:
        used["cache_write_1h"] = 0
    if producer == "traceloop-anthropic":
        used["reasoning"] = 0
        used["output"] += 1 if case in ("streamed", "stream helper") else 0  # of the stream's first event
    plain = used["input"] - used["cached"] - used["cache_write"]
    for_minutes = used["cache_write"] - used["cache_write_1h"]
    amounts = (plain, used["cached"], for_minutes, used["cache_write_1h"], used["output"])
    prices = USD_PER_MILLION[model]
    cost = sum(amount * Decimal(price) / 1_000_000 for amount, price in zip(amounts, prices, strict=True))
    return model, status, tuple(used.values()), cost


@pytest.mark.parametrize("producer", PRODUCERS)
def test_every_call_is_what_the_provider_billed(
    produced: tuple[Path, dict[str, list[list[dict[str, Any]]]]], producer: str
) -> None:
    database, served = produced
    rows = query(
        database,
        """
        select external_request_id, model, status, input_tokens, output_tokens, coalesce(cached_input_tokens, 0),
            coalesce(cache_write_tokens, 0), coalesce(cache_write_1h_tokens, 0), coalesce(reasoning_tokens, 0), cost_usd
        from marts.fct_llm_attempts where external_request_id like ? order by started_at
        """,
        f"{producer}/%",
    )
    found: dict[str, list[Call]] = defaultdict(list)
    for case, model, status, *tokens, cost in rows:
        found[case].append((model, status, NO_TOKENS if tokens[0] is None else tuple(tokens), cost))
    expected = {
        case: [billed(producer, case.split("/")[1], attempts) for attempts in calls]
        for case, calls in served.items()
        if case.startswith(f"{producer}/")
    }
    assert len(expected) >= 12
    assert dict(found) == expected


def test_attempts_below_a_span_are_known_where_it_tells_them(
    produced: tuple[Path, dict[str, list[list[dict[str, Any]]]]],
) -> None:
    database, served = produced
    rows = query(
        database,
        "select external_request_id, attempt_number from marts.fct_llm_attempts where attempt_number is not null",
    )
    assert {case.split("/")[0] for case, _ in rows} == {
        *("native-anthropic", "genai+native-anthropic", "openinference+native-anthropic"),
    }
    for case, attempt in rows:
        assert attempt == len(served[case][0]), case


def test_every_call_has_the_attributes_of_its_request(
    produced: tuple[Path, dict[str, list[list[dict[str, Any]]]]],
) -> None:
    database, _ = produced
    assert query(
        database,
        "select distinct tenant_id, endpoint_tag, user_id, feature_name, environment from marts.fct_llm_attempts",
    ) == [("acme", "answer", "u-1", "checkout", "prod")]


def test_every_span_went_somewhere(produced: tuple[Path, dict[str, list[list[dict[str, Any]]]]]) -> None:
    database, _ = produced
    ((raw, told, lost),) = query(
        database,
        """
        select raw_rows, accepted_rows + merged_rows + left_out_rows, quarantined_rows + rejected_rows + raw_rows_gone
        from marts.spend_coverage
        """,
    )
    assert (raw, 0) == (told, lost)
