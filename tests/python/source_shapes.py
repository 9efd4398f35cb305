"""The same calls as each system would log them, in the shapes of the samples in tests/data/sources."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

MODELS = (
    ("openai", "gpt-4o-2024-08-06"),
    ("openai", "gpt-4.1-mini-2025-04-14"),
    ("anthropic", "claude-sonnet-4-5-20250929"),
    ("anthropic", "claude-haiku-4-5-20251001"),
)
NO_UUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Call:
    """A call, tokens in the inclusive form. A failed one has neither an answer id nor tokens."""

    number: int
    started_at: datetime
    provider: str
    model: str
    status: str
    input_tokens: int
    output_tokens: int
    cached: int
    written: int
    latency_ms: int

    @property
    def is_success(self) -> bool:
        return self.status == "success"

    @property
    def answer_id(self) -> str:
        return f"msg_{self.number:08d}" if self.provider == "anthropic" else f"chatcmpl-{self.number:08d}"

    @property
    def ended_at(self) -> datetime:
        return self.started_at + timedelta(milliseconds=self.latency_ms)

    @property
    def fresh(self) -> int:
        return self.input_tokens - self.cached - self.written


def random_calls(count: int, seed: str) -> list[Call]:
    """Calls over ten days, some at the same second and some around midnight; one in twenty fails."""
    random, calls = Random(seed), []
    first = datetime(2026, 11, 2)
    for number in range(count):
        provider, model = random.choice(MODELS)
        status = "success" if random.random() < 0.95 else random.choice(("error", "rate_limited"))
        started_at = first + timedelta(milliseconds=random.randrange(10 * 24 * 3600 * 1000))
        if number % 100 == 0:
            started_at = first + timedelta(days=1 + number // 100 % 9, milliseconds=random.randint(-900, 900))
        total = random.randint(200, 20_000) if status == "success" else 0
        cached = random.choice((0, random.randint(0, total // 2)))
        written = random.choice((0, random.randint(0, total // 4))) if provider == "anthropic" else 0
        output = random.randint(1, 2_000) if status == "success" else 0
        latency = random.randint(100, 30_000)
        calls.append(Call(number, started_at, provider, model, status, total, output, cached, written, latency))
    return calls


def app(calls: Iterable[Call]) -> Iterator[dict[str, Any]]:
    for call in calls:
        event = {
            "event_id": call.answer_id if call.is_success else f"failed-{call.number}",
            "started_at": call.started_at.isoformat(),
            "provider": call.provider,
            "model": call.model,
            "status": call.status,
            "latency_ms": call.latency_ms,
        }
        used = {
            "input_tokens": call.input_tokens,
            "output_tokens": call.output_tokens,
            "cached_input_tokens": call.cached,
            "cache_write_tokens": call.written,
        }
        yield event | (used if call.is_success else {})


def litellm(calls: Iterable[Call]) -> Iterator[dict[str, Any]]:
    for call in calls:
        # A failed row has an id of its own, and prompt tokens that LiteLLM made up.
        code = {"rate_limited": "429", "error": "500"}.get(call.status)
        details = {"cached_tokens": call.cached, "cache_creation_tokens": call.written}
        usage = {
            "prompt_tokens": call.input_tokens,
            "completion_tokens": call.output_tokens,
            "total_tokens": call.input_tokens + call.output_tokens,
            "prompt_tokens_details": details,
            "cache_creation_input_tokens": call.written,
            "cache_read_input_tokens": call.cached,
        }
        error = {"error_code": code, "error_class": "APIError", "llm_provider": call.provider} if code else None
        yield {
            "request_id": call.answer_id if call.is_success else f"call-{call.number}",
            "call_type": "acompletion",
            "api_key": "hash",
            "spend": 0.0,
            "prompt_tokens": call.input_tokens or 17,
            "completion_tokens": call.output_tokens,
            "total_tokens": (call.input_tokens or 17) + call.output_tokens,
            "startTime": call.started_at.isoformat(),
            "endTime": call.ended_at.isoformat(),
            "model": f"{call.provider}/{call.model}",
            "custom_llm_provider": call.provider,
            "api_base": "https://provider.example/v1",
            "status": "success" if call.is_success else "failure",
            "cache_hit": "None" if call.is_success else "False",
            "metadata": {
                "usage_object": usage if call.is_success else None,
                "error_information": error,
                "attempted_retries": 0,
            },
        }


def otel(calls: Iterable[Call]) -> Iterator[dict[str, Any]]:
    """Batches of a hundred spans, each under a span of the application."""
    spans = []
    for call in calls:
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": call.provider,
            "gen_ai.request.model": call.model,
        }
        if call.is_success:
            attributes |= {
                "gen_ai.response.model": call.model,
                "gen_ai.response.id": call.answer_id,
                "gen_ai.usage.input_tokens": call.input_tokens,
                "gen_ai.usage.output_tokens": call.output_tokens,
                "gen_ai.usage.cache_read.input_tokens": call.cached,
                "gen_ai.usage.cache_creation.input_tokens": call.written,
            }
        else:
            attributes |= {
                "error.type": "RateLimitError" if call.status == "rate_limited" else "InternalServerError",
            }
        trace = f"{call.number:032x}"
        parent = _span(trace, f"{call.number:016x}", None, "POST /answer", call, {"http.request.method": "POST"})
        child = _span(
            trace, f"{call.number + (1 << 40):016x}", parent["spanId"], f"chat {call.model}", call, attributes
        )
        child["status"] = {"code": 1 if call.is_success else 2}
        spans += [parent, child]
    for first in range(0, len(spans), 100):
        scope = {"scope": {"name": "opentelemetry.instrumentation.genai"}, "spans": spans[first : first + 100]}
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
        yield {"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}


def _span(
    trace: str, span: str, parent: str | None, name: str, call: Call, attributes: dict[str, Any]
) -> dict[str, Any]:
    def nanoseconds(moment: datetime) -> str:
        return str(round((moment - datetime(1970, 1, 1)) / timedelta(microseconds=1)) * 1000)

    values = [
        {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}
        for key, value in attributes.items()
    ]
    times = {"startTimeUnixNano": nanoseconds(call.started_at), "endTimeUnixNano": nanoseconds(call.ended_at)}
    inner = {"traceId": trace, "spanId": span, "name": name, **times, "attributes": values}
    return inner | ({"parentSpanId": parent} if parent else {})


def langfuse(calls: Iterable[Call]) -> Iterator[dict[str, Any]]:
    for call in calls:
        # Buckets are beside each other: input is what was neither read from a cache nor written to one.
        usage = {
            "input": call.fresh,
            "output": call.output_tokens,
            "input_cached_tokens": call.cached,
            "input_cache_creation": call.written,
            "total": call.input_tokens + call.output_tokens,
        }
        message = {"rate_limited": "429 rate limit exceeded", "error": "500 server error"}.get(call.status)
        yield {
            "id": f"{call.number + (1 << 40):016x}",
            "trace_id": f"{call.number:032x}",
            "project_id": "shop",
            "environment": "default",
            "type": "GENERATION",
            "parent_observation_id": None,
            "start_time": f"{call.started_at:%Y-%m-%d %H:%M:%S.%f}",
            "end_time": f"{call.ended_at:%Y-%m-%d %H:%M:%S.%f}",
            "name": "answer",
            "metadata": {},
            "level": "DEFAULT" if call.is_success else "ERROR",
            "status_message": message,
            "provided_model_name": call.model,
            "usage_details": usage if call.is_success else {},
            "cost_details": {},
            "total_cost": None,
            "updated_at": f"{call.ended_at:%Y-%m-%d %H:%M:%S.%f}",
        }


def helicone(calls: Iterable[Call]) -> Iterator[dict[str, Any]]:
    for call in calls:
        yield {
            "request_id": f"11111111-1111-4111-8111-{call.number:012d}",
            "request_created_at": f"{call.started_at:%Y-%m-%d %H:%M:%S.%f}"[:-3],
            "latency": str(call.latency_ms),
            "status": {"success": "200", "rate_limited": "429", "error": "500"}[call.status],
            "prompt_tokens": str(call.fresh),
            "completion_tokens": str(call.output_tokens),
            "prompt_cache_read_tokens": str(call.cached),
            "prompt_cache_write_tokens": str(call.written),
            "model": call.model,
            "provider": call.provider.upper(),
            "user_id": "",
            "properties": {},
            "cache_reference_id": NO_UUID,
            "cost": "0",
            "prompt_id": "",
            "prompt_version": "",
            "updated_at": f"{call.ended_at:%Y-%m-%d %H:%M:%S.%f}"[:-3],
        }


def claude_code(calls: Iterable[Call]) -> Iterator[dict[str, Any]]:
    """Two lines a call, as of an answer of two blocks."""
    for call in calls:
        if not is_told("claude_code", call):
            continue
        usage = {
            "input_tokens": call.fresh,
            "cache_creation_input_tokens": call.written,
            "cache_read_input_tokens": call.cached,
            "cache_creation": {"ephemeral_5m_input_tokens": call.written, "ephemeral_1h_input_tokens": 0},
            "service_tier": "standard",
        }
        for part, output in enumerate((1, call.output_tokens)):
            yield {
                "type": "assistant",
                "uuid": f"{call.number}-{part}",
                "sessionId": "session",
                "isSidechain": False,
                "cwd": "/home/dev/shop",
                "timestamp": f"{call.started_at + timedelta(milliseconds=part):%Y-%m-%dT%H:%M:%S.%f}Z",
                "requestId": f"req_{call.number}",
                "message": {"id": call.answer_id, "model": call.model, "usage": usage | {"output_tokens": output}},
            }


def is_told(source: str, call: Call) -> bool:
    """Claude Code calls no other provider's models, and leaves no line of a call that was tried again."""
    return source != "claude_code" or (call.is_success and call.provider == "anthropic")


SHAPES: dict[str, tuple[str | None, Callable[[Iterable[Call]], Iterator[dict[str, Any]]]]] = {
    "app": (None, app),
    "litellm": ("litellm", litellm),
    "otel": ("otel", otel),
    "langfuse": ("langfuse", langfuse),
    "helicone": ("helicone", helicone),
    "claude_code": ("claude-code", claude_code),
}
"""The mapping of each source, and how it writes calls."""


def lines(source: str, calls: Iterable[Call]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in SHAPES[source][1](calls))
