"""Asks LiteLLM's SDK and Router for answers of the scripted provider and writes what LiteLLM logs about them.

    python litellm_produce.py FOLDER

Run by the Python that has LiteLLM (requirements-litellm.txt). It writes to the folder:

    payloads.jsonl     standard logging payloads, as LiteLLM's loggers for S3, GCS and Azure write them
    spend-logs.jsonl   rows of LiteLLM_SpendLogs of the same answers, made by the proxy's own function; it has none of
                       failures, which the proxy writes from the request it got
    cases.json         the id of each row → the case that asked for it, and what LiteLLM thinks it cost
    provider.json      what the provider was asked and what it billed: one object per HTTP call
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

os.environ |= {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOG": "CRITICAL",
    "NO_PROXY": "127.0.0.1,localhost",
    "no_proxy": "127.0.0.1,localhost",
}

import litellm
from litellm import Router
from litellm.caching.caching import Cache
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.safe_json_dumps import safe_dumps
from litellm.proxy.spend_tracking.spend_tracking_utils import get_logging_payload

from stub_provider import stub_provider

KEY = "dummy-provider-key"
CALLER = {"metadata": {"spend_logs_metadata": {"tenant": "acme", "feature": "search"}}, "user": "user-7"}
TOOL = {
    "type": "function",
    "function": {
        "name": "lookup_order",
        "description": "find an order",
        "parameters": {"type": "object", "properties": {"order_id": {"type": "string"}}},
    },
}
WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}


class Log(CustomLogger):
    """Keeps both forms of each call that LiteLLM tells its loggers of."""

    def __init__(self) -> None:
        super().__init__()
        self.case = ""
        self.payloads: list[str] = []
        self.spend_logs: list[str] = []
        self.cases: dict[str, dict[str, Any]] = {}

    async def async_log_success_event(self, kwargs: dict, response_obj: Any, start_time: Any, end_time: Any) -> None:
        row = get_logging_payload(kwargs, response_obj, start_time, end_time)
        self.spend_logs.append(safe_dumps(row))
        self._keep(kwargs, row["request_id"])

    async def async_log_failure_event(self, kwargs: dict, response_obj: Any, start_time: Any, end_time: Any) -> None:
        self._keep(kwargs)

    def _keep(self, kwargs: dict, *other_ids: str) -> None:
        payload = kwargs["standard_logging_object"]
        self.payloads.append(safe_dumps(payload))
        for row_id in {payload["id"], *other_ids}:
            self.cases[row_id] = {"case": self.case, "response_cost": payload["response_cost"]}


def messages(case: str, scenario: str = "plain") -> list[dict[str, str]]:
    return [{"role": "user", "content": f"Where is parcel 17? [[case={case}]] [[{scenario}]]"}]


async def asked(log: Log, case: str, answer: Coroutine) -> None:
    """Wait for an answer or its failure, which is a case too, and for LiteLLM to log it."""
    log.case = case
    before = len(log.payloads)
    with contextlib.suppress(Exception):
        answer = await answer
        if hasattr(answer, "__aiter__"):
            async for _ in answer:
                pass
    for _ in range(100):
        await asyncio.sleep(0.05)
        if len(log.payloads) > before:
            break
    await asyncio.sleep(0.2)


async def ask_everything(base_url: str, log: Log) -> None:
    openai = {"api_base": f"{base_url}/v1", "api_key": KEY, "max_retries": 0}
    anthropic = {"api_base": base_url, "api_key": KEY, "max_retries": 0}

    async def chat(case: str, model: str, scenario: str = "plain", **options: Any) -> None:
        place = anthropic if "claude" in model else openai
        # LiteLLM writes into the metadata it is given.
        caller = json.loads(json.dumps(CALLER))
        await asked(
            log,
            case,
            litellm.acompletion(model=model, messages=messages(case, scenario), **{**place, **caller, **options}),
        )

    await chat("plain", "openai/gpt-4o-mini")
    await chat("without prefix", "gpt-4o-mini")
    await chat("streamed", "openai/gpt-4o-mini", "streamed", **WITH_USAGE)
    await chat("streamed without usage", "openai/gpt-4o-mini", "streamed", stream=True)
    await chat("cached", "openai/gpt-4.1", "cached")
    await chat("cache writes", "openai/gpt-4.1", "cache_mixed")
    await chat("reasoning", "openai/gpt-5-mini", "reasoning")
    await chat("tool", "openai/gpt-4o", "tool", tools=[TOOL])
    await chat("cut short", "openai/gpt-4o", "length", max_tokens=16)
    await chat("refused", "openai/gpt-4o-mini", "error_400")
    await chat("wrong key", "openai/gpt-4o-mini", "error_401")
    await chat("rate limited", "openai/gpt-4o-mini", "rate_limited")
    await chat("server error", "openai/gpt-4o-mini", "server_error")
    await chat("timeout", "openai/gpt-4o-mini", "timeout", timeout=0.4)
    await chat("broken stream", "openai/gpt-4o-mini", "stream_cut", **WITH_USAGE)
    await chat("hidden retry", "openai/gpt-4o-mini", "retry_500", num_retries=2)
    await chat("unknown price", "openai/house-model-1")
    await chat("claude", "anthropic/claude-sonnet-4-5")
    await chat("claude streamed", "anthropic/claude-sonnet-4-5", "cache_mixed", stream=True)
    await chat("claude cached", "anthropic/claude-sonnet-4-5", "cached")
    await chat("claude cache writes", "anthropic/claude-sonnet-4-5", "cache_write")
    await chat("claude cached and writes", "anthropic/claude-sonnet-4-5", "cache_mixed")
    thinking = {"type": "enabled", "budget_tokens": 1024}
    await chat("claude reasoning", "anthropic/claude-sonnet-4-5", "reasoning", thinking=thinking)
    await chat("claude tool", "anthropic/claude-haiku-4-5", "tool", tools=[TOOL])
    await chat("claude overloaded", "anthropic/claude-sonnet-4-5", "overloaded")

    for case, options in {"messages": {}, "messages streamed": {"stream": True}}.items():
        answer = litellm.anthropic.messages.acreate(
            model="anthropic/claude-sonnet-4-5",
            max_tokens=99,
            messages=messages(case, "cache_mixed"),
            api_base=base_url,
            api_key=KEY,
            **options,
        )
        await asked(log, case, answer)

    for case, options in {"responses": {}, "responses streamed": {"stream": True}}.items():
        text = messages(case, "cached")[0]["content"]
        answer = litellm.aresponses(
            model="openai/gpt-4.1", input=text, api_base=f"{base_url}/v1", api_key=KEY, **options
        )
        await asked(log, case, answer)

    text = messages("embedding", "embed")[0]["content"]
    await asked(log, "embedding", litellm.aembedding(model="openai/text-embedding-3-small", input=[text], **openai))

    def deployment(name: str, model: str) -> dict[str, Any]:
        place = anthropic if "claude" in model else openai
        return {"model_name": name, "litellm_params": {"model": model, **place}, "model_info": {"id": name}}

    router = Router(
        model_list=[
            deployment("chat", "openai/gpt-4o-mini"),
            deployment("claude", "anthropic/claude-sonnet-4-5"),
            deployment("flaky", "openai/gpt-4o-mini--server_error"),
        ],
        num_retries=2,
        retry_after=0,
        fallbacks=[{"flaky": ["claude"]}],
        disable_cooldowns=True,
    )
    for case, group, scenario in (
        ("retried", "chat", "retry_500"),
        ("rate limited thrice", "chat", "rate_limited"),
    ):
        await asked(log, case, router.acompletion(model=group, messages=messages(case, scenario)))
    fallback = [{"role": "user", "content": "Where is parcel 17? [[case=fallback]]"}]
    await asked(log, "fallback", router.acompletion(model="flaky", messages=fallback))

    litellm.cache = Cache(type="local")
    for _ in range(2):
        await chat("own cache", "openai/gpt-4o-mini", caching=True)
    litellm.cache = None


def main() -> None:
    folder, log = Path(sys.argv[1]), Log()
    litellm.callbacks = [log]
    litellm.suppress_debug_info = True
    with stub_provider() as (base_url, calls):
        asyncio.run(ask_everything(base_url, log))
        (folder / "provider.json").write_text(json.dumps(calls), encoding="utf-8")
    for name, rows in (("payloads.jsonl", log.payloads), ("spend-logs.jsonl", log.spend_logs)):
        (folder / name).write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    (folder / "cases.json").write_text(json.dumps(log.cases), encoding="utf-8")


if __name__ == "__main__":
    main()
