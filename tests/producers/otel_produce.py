"""What instrumented SDKs emit, as the OpenTelemetry collector's file exporter writes it.

    target/producers/otel/bin/python otel_produce.py PRODUCER STUB_URL FILE

The OpenAI and Anthropic SDKs, traced by PRODUCER, ask the stand-in at STUB_URL; each case is one request of an
application, whose root span carries its attributes, its id among them: `llm_spend.external_request_id` is
PRODUCER/CASE, and the header `x-stub-case` names the case in the stand-in's own log.
"""

import asyncio
import base64
import contextlib
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GENAI_OPENAI = "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor"
GENAI_ANTHROPIC = "opentelemetry.instrumentation.genai.anthropic:AnthropicInstrumentor"
TRACELOOP_OPENAI = "opentelemetry.instrumentation.openai:OpenAIInstrumentor"
TRACELOOP_ANTHROPIC = "opentelemetry.instrumentation.anthropic:AnthropicInstrumentor"
OPENINFERENCE_OPENAI = "openinference.instrumentation.openai:OpenAIInstrumentor"
OPENINFERENCE_ANTHROPIC = "openinference.instrumentation.anthropic:AnthropicInstrumentor"
NATIVE_OFF = {"ANTHROPIC_OPEN_TELEMETRY": "false"}
HIDDEN = {"OPENINFERENCE_HIDE_INPUTS": "true", "OPENINFERENCE_HIDE_OUTPUTS": "true"}

PRODUCERS: dict[str, tuple[str, list[str], dict[str, str]]] = {
    "genai-openai": ("openai", [GENAI_OPENAI], {}),
    "genai-anthropic": ("anthropic", [GENAI_ANTHROPIC], NATIVE_OFF),
    "native-anthropic": ("anthropic", [], {}),
    "traceloop-openai": ("openai", [TRACELOOP_OPENAI], {}),
    "traceloop-anthropic": ("anthropic", [TRACELOOP_ANTHROPIC], NATIVE_OFF),
    "openinference-openai": ("openai", [OPENINFERENCE_OPENAI], {}),
    "openinference-anthropic": ("anthropic", [OPENINFERENCE_ANTHROPIC], NATIVE_OFF),
    "genai+native-anthropic": ("anthropic", [GENAI_ANTHROPIC], {}),
    "openinference+native-anthropic": ("anthropic", [OPENINFERENCE_ANTHROPIC], HIDDEN),
    "traceloop+openinference-openai": ("openai", [TRACELOOP_OPENAI, OPENINFERENCE_OPENAI], {}),
}
"""The SDK of each, its instrumentations (anthropic 2 traces itself unless told not to), and its environment."""

FIRST_HOUR = 1_795_161_600_000_000_000
"""2026-11-20T08:00Z; each producer has an hour."""

ASKED = [{"role": "user", "content": "Where is my parcel?"}]
WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}


class Application:
    """Requests of an application that is traced."""

    def __init__(self, producer: str, url: str) -> None:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

        self.producer, self.sdk, self.spans = producer, PRODUCERS[producer][0], []
        application = self

        class Keep(SpanProcessor):
            def on_end(self, span: Any) -> None:
                application.spans.append(span)

        resource = Resource({"service.name": "checkout", "deployment.environment.name": "production"})
        self.provider = TracerProvider(resource=resource)
        self.provider.add_span_processor(Keep())
        trace.set_tracer_provider(self.provider)
        self.tracer = trace.get_tracer("checkout")
        for instrumentation in PRODUCERS[producer][1]:
            module, name = instrumentation.split(":")
            getattr(importlib.import_module(module), name)().instrument(tracer_provider=self.provider)
        sdk = importlib.import_module(self.sdk)
        name = "OpenAI" if self.sdk == "openai" else "Anthropic"
        base = f"{url}/v1" if self.sdk == "openai" else url
        self.client = getattr(sdk, name)(api_key="none", base_url=base)
        self.async_client = getattr(sdk, f"Async{name}")(api_key="none", base_url=base)

    @contextlib.contextmanager
    def request(self, case: str) -> Iterator[None]:
        attributes = {
            "llm_spend.external_request_id": f"{self.producer}/{case}",
            "llm_spend.tenant_id": "acme",
            "llm_spend.endpoint_tag": "answer",
            "user.id": "u-1",
        }
        with self.tracer.start_as_current_span("POST /answer", attributes=attributes), contextlib.suppress(Exception):
            yield

    def asking(self, scenario: str, case: str, client: Any = None, **options: Any) -> Any:
        headers = {"x-stub-scenario": scenario, "x-stub-case": f"{self.producer}/{case}"}
        return (client or self.client).with_options(default_headers=headers, **options)


def openai_cases(app: Application) -> None:
    def chat(
        case: str, scenario: str, model: str = "gpt-4o-mini", options: dict[str, Any] | None = None, **asked: Any
    ) -> None:
        with app.request(case):
            completions = app.asking(scenario, case, **(options or {})).chat.completions
            answer = completions.create(model=model, messages=ASKED, **asked)
            if asked.get("stream"):
                list(answer)

    chat("plain", "plain")
    chat("cached", "cached")
    chat("reasoning", "reasoning", "gpt-5-mini")
    chat("streamed", "cached", **WITH_USAGE)
    chat("streamed without usage", "streamed", stream=True)
    chat("bad request", "error_400")
    chat("rate limited", "rate_limited")
    chat("retried", "retry_500")
    chat("timeout", "timeout", options={"max_retries": 0, "timeout": 0.25})
    with app.request("stream helper"):
        completions = app.asking("streamed", "stream helper").chat.completions
        options = {"include_usage": True}
        with completions.stream(model="gpt-4o-mini", messages=ASKED, stream_options=options) as stream:
            list(stream)
    with app.request("async"):
        client = app.asking("plain", "async", app.async_client)
        asyncio.run(client.chat.completions.create(model="gpt-4o-mini", messages=ASKED))
    with app.request("embeddings"):
        client = app.asking("embed", "embeddings")
        client.embeddings.create(model="text-embedding-3-small", input=["parcel", "depot"])
    with app.request("fetched again"):
        client = app.asking("cached", "fetched again")
        client.responses.retrieve(client.responses.create(model="gpt-4.1-mini", input="Where is my parcel?").id)
    agent(app, lambda client: client.chat.completions.create(model="gpt-4o-mini", messages=ASKED))


def anthropic_cases(app: Application) -> None:
    asked = {"model": "claude-haiku-4-5", "max_tokens": 400, "messages": ASKED}

    def ask(case: str, scenario: str, options: dict[str, Any] | None = None, **more: Any) -> None:
        with app.request(case):
            answer = app.asking(scenario, case, **(options or {})).messages.create(**asked, **more)
            if more.get("stream"):
                list(answer)

    ask("plain", "plain")
    ask("cached", "cached")
    ask("cache mixed", "cache_mixed")
    ask("reasoning", "reasoning", thinking={"type": "enabled", "budget_tokens": 1024})
    ask("streamed", "cache_mixed", stream=True)
    ask("bad request", "error_400")
    ask("rate limited", "rate_limited")
    ask("retried", "retry_500")
    ask("timeout", "timeout", {"max_retries": 0, "timeout": 0.25})
    with app.request("stream helper"), app.asking("cache_mixed", "stream helper").messages.stream(**asked) as stream:
        list(stream)
    with app.request("async"):
        asyncio.run(app.asking("cache_mixed", "async", app.async_client).messages.create(**asked))
    with app.request("count tokens"):
        app.asking("plain", "count tokens").messages.count_tokens(model=asked["model"], messages=ASKED)
    agent(app, lambda client: client.messages.create(**asked))


def agent(app: Application, ask: Any) -> None:
    """An agent whose span repeats what its calls used, as frameworks write it, with a tool between two calls."""
    attributes = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 300}
    with app.request("agent"), app.tracer.start_as_current_span("invoke_agent support", attributes=attributes):
        ask(app.asking("tool", "agent/1"))
        tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup_order"}
        with app.tracer.start_as_current_span("execute_tool lookup_order", attributes=tool):
            pass
        ask(app.asking("plain", "agent/2"))


def batch(spans: list[Any], shift: int) -> dict[str, Any]:
    """Spans as the collector writes them: protobuf's JSON with ids as hex, times moved by `shift` nanoseconds."""
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

    document = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    span[name] = base64.b64decode(span.get(name, "")).hex()
                for name in ("startTimeUnixNano", "endTimeUnixNano"):
                    span[name] = str(int(span[name]) + shift)
                span.setdefault("status", {})
    return document


def main(producer: str, url: str, file: str) -> None:
    app = Application(producer, url)
    (openai_cases if app.sdk == "openai" else anthropic_cases)(app)
    app.provider.force_flush()
    hour = FIRST_HOUR + list(PRODUCERS).index(producer) * 3_600_000_000_000
    shift = hour - min(span.start_time for span in app.spans)
    # Batches in the order in which spans end: a parent may be in a later one than its child.
    batches = [batch(app.spans[first : first + 12], shift) for first in range(0, len(app.spans), 12)]
    Path(file).write_text("".join(f"{json.dumps(each)}\n" for each in batches), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
