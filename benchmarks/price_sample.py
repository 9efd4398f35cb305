"""Price a sample of events with one Python library, one call each: `price_sample.py LIBRARY SAMPLE.parquet`.

A process of its own, because litellm lives in a temporary directory. Prints JSON: microseconds per event.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from importlib.metadata import version

import duckdb

ROUNDS = 3
COLUMNS = "provider, model, started_at, tenant_id, input_tokens, cached_input_tokens, output_tokens, service_tier"

Event = tuple
Cost = Decimal | float
Call = Callable[[], Cost]


def genai_prices_calls(events: Iterable[Event]) -> Iterable[Call]:
    from genai_prices import Usage, calc_price

    def cost(usage: Usage, *, provider: str, model: str, **context: object) -> Decimal:
        return calc_price(usage, model, provider_id=provider, **context).total_price

    for provider, model, started_at, _, inputs, cached, outputs, tier in events:
        yield partial(
            cost,
            Usage(input_tokens=inputs, cache_read_tokens=cached or 0, output_tokens=outputs),
            provider=provider,
            model=model,
            genai_request_timestamp=started_at,
            price_context={"processing": "batch"} if tier == "batch" else {"service_tier": "default"},
        )


def litellm_calls(events: Iterable[Event]) -> Iterable[Call]:
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    from litellm import cost_per_token

    def cost(**usage: object) -> float:
        return sum(cost_per_token(**usage))

    for provider, model, _, _, inputs, cached, outputs, _ in events:
        yield partial(
            cost,
            model=model,
            custom_llm_provider={"google": "gemini"}.get(provider, provider),
            prompt_tokens=inputs,
            completion_tokens=outputs,
            cache_read_input_tokens=cached or 0,
        )


LIBRARIES = {"genai-prices": genai_prices_calls, "litellm": litellm_calls}


def main(library: str, sample: str) -> None:
    calls_of = LIBRARIES[library]
    connection = duckdb.connect()
    read = f"select {COLUMNS} from read_parquet('{sample}')"
    events = connection.execute(read).fetchall()
    ours = [cost for (cost,) in connection.execute(f"select cost_usd from read_parquet('{sample}')").fetchall()]
    calls = list(calls_of(events))
    costs = [call() for call in calls]
    compared = [pair for pair, event in zip(zip(ours, costs, strict=True), events, strict=True) if event[-1] != "batch"]

    def file_to_totals() -> dict[tuple, Cost]:
        totals: dict[tuple, Cost] = defaultdict(type(costs[0]))
        rows = connection.execute(read).fetchall()
        for event, call in zip(rows, calls_of(rows), strict=True):
            totals[event[3], event[2].date()] += call()
        return totals

    result = {
        "version": version(library),
        "events": len(events),
        "call_microseconds": best(lambda: [call() for call in calls]) / len(events) * 1e6,
        "microseconds": best(file_to_totals) / len(events) * 1e6,
        "compared": len(compared),
        "equal": sum(a is not None and abs(a - Decimal(b)) < Decimal("1e-9") for a, b in compared),
    }
    sys.stdout.write(json.dumps(result) + "\n")


def best(timed: Callable[[], object]) -> float:
    """Seconds of the fastest round."""
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        timed()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
