"""Writes the golden input: the batches of one small company's log, with everything in it that engines read differently.

`python tests/engines/golden_input.py` makes the same bytes each time. The golden files must be written anew after it.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

Event = dict[str, object]

FOLDER = Path(__file__).with_name("golden") / "input"
FIRST_DAY = datetime(2026, 9, 10)
DAYS = 24
LONG_NAME = "длинное-имя-модели-" * 15 + "конец-300-знак."
NAMES = ("Café Zürich", "東京支店", 'O\'Neil & "Söhne", GmbH', "tab\tand \\ backslash", "🦜 parrot")


def moment(day: int, minute: float) -> str:
    """So many minutes after the beginning of a day, counted from 0."""
    return (FIRST_DAY + timedelta(days=day, minutes=minute)).isoformat() + "Z"


def checkout(random: Random) -> Iterator[Event]:
    """One busy endpoint: a dearer prompt version from day 12 on, an hour of a runaway loop, a day of retries."""
    for day in range(4, 20):
        for number in range(46):
            is_new = day > 12 or (day == 12 and number >= 20)
            size = random.uniform(0.9, 1.1) * (1.35 if is_new else 1)
            yield {
                "event_id": f"checkout-{day}-{number}", "started_at": moment(day, 8 * 60 + number * 17),
                "provider": "openai", "model": "gpt-4.1", "endpoint_tag": "checkout.summary",
                "prompt_version": "summary_v2" if is_new else "summary_v1",
                "tenant_id": random.choice(["acme", "acme-eu", "globex", *NAMES[:2]]),
                "user_id": random.choice(["u1", "u2", "svc-sync", None]), "api_key_id": "key_checkout",
                "input_tokens": int(4000 * size), "output_tokens": int(400 * size), "cached_input_tokens": 1024,
                "task_succeeded": random.choice([True, True, True, False, None]),
                "latency_ms": random.randint(200, 9000),
            }  # fmt: skip
    for number in range(24):
        yield {
            "event_id": f"loop-{number}", "started_at": moment(18, 3 * 60 + number * 2), "provider": "openai",
            "model": "gpt-4.1", "endpoint_tag": "research.report", "agent_id": "agent_1", "workflow_id": "nightly",
            "tenant_id": "globex", "input_tokens": 90_000, "output_tokens": 9_000, "run_id": "run-1",
        }  # fmt: skip
    for number in range(30):
        for attempt in (1, 2, 3):
            yield {
                "event_id": f"retried-{number}-{attempt}", "started_at": moment(19, 1200 + number + attempt * 0.3),
                "provider": "openai", "model": "gpt-4.1", "endpoint_tag": "checkout.summary",
                "prompt_version": "summary_v2", "tenant_id": "acme", "external_request_id": f"retried-{number}",
                "attempt_number": attempt, "input_tokens": 60_000, "output_tokens": 700, "api_key_id": "key_checkout",
                "status": "success" if attempt == 3 else "timeout",
            }  # fmt: skip


def support(random: Random) -> Iterator[Event]:
    """Cached prompts, retries over midnight, one id over several calls, offsets, and what is out of scope."""
    for day in range(DAYS - 2):
        yield from (
            {
                "event_id": f"support-{day}-{number}",
                "started_at": moment(day, 180 * number)[:-1] + f".{random.randint(0, 999999):06d}"
                + random.choice(["Z", "+02:00", "-07:30"]),
                "provider": random.choice(["Anthropic", "anthropic", None]), "model": "claude-sonnet-4-5-20250929",
                "endpoint_tag": random.choice(["support.reply", "support_reply"]), "prompt_version": "reply_v1",
                "tenant_id": random.choice(NAMES), "user_id": random.choice(["ü1", "u2", None]),
                "user_type": random.choice([None, "human", "Service"]), "team": "support", "feature_name": "reply",
                "environment": random.choice([None, "prod", "PROD", "staging", "dev"]),
                "data_mode": random.choice([None, None, None, "test"]), "input_tokens": 20_000 + number * 111,
                "cached_input_tokens": 12_000, "cache_write_tokens": 3_000, "cache_write_1h_tokens": 1_000,
                "output_tokens": 611 + number, "reported_cost_usd": round(random.uniform(0.01, 0.09), 6),
                "cache_hit": number == 5, "status": "rate_limited" if number == 6 else None,
                "sample_rate": "0.25" if number == 7 else None, "tags": {"größe": number, "ok": True},
            }
            for number in range(8)
        )  # fmt: skip
        midnight = {"provider": "openai", "model": "gpt-4o", "endpoint_tag": "midnight", "input_tokens": 900}
        yield {"event_id": f"m-{day}-1", "started_at": moment(day, 1439.5), "external_request_id": f"over-{day}",
               "status": "error", "error_code": "server_error", "output_tokens": 0, **midnight}  # fmt: skip
        yield {"event_id": f"m-{day}-2", "started_at": moment(day, 1441), "external_request_id": f"over-{day}",
               "output_tokens": 90, **midnight}  # fmt: skip
        yield {"event_id": f"reused-{day}", "started_at": moment(day, 700), "external_request_id": f"reused-{day // 3}",
               "call_name": "step", "status": random.choice(["success", "cancelled"]), "output_tokens": 5,
               **midnight}  # fmt: skip


def every_usage_type() -> Iterator[Event]:
    """A call or two of each kind that is billed otherwise, beside models that nobody knows."""
    calls: list[Event] = [
        {"provider": "openai", "model": "gpt-realtime", "input_tokens": 3000, "cached_input_tokens": 1900,
         "input_audio_tokens": 2000, "cached_audio_tokens": 1500, "output_tokens": 1000, "output_audio_tokens": 800},
        {"provider": "groq", "model": "whisper-large-v3", "other_usage": {"input_audio_seconds": 605}},
        {"provider": "mistral", "model": "mistral-ocr-2512", "other_usage": {"pages": 12, "annotated_pages": 5}},
        {"provider": "perplexity", "model": "sonar-deep-research", "input_tokens": 1000, "output_tokens": 10000,
         "reasoning_tokens": 6000, "other_usage": {"citation_tokens": 2500}},
        {"provider": "x-ai", "model": "grok-voice-latest", "other_usage": {"audio_seconds": 95, "messages": 3}},
        {"provider": "google", "model": "gemini-2.5-pro", "input_tokens": 200_001, "output_tokens": 1000},
        {"provider": "google", "model": "gemini-2.5-flash-image", "input_tokens": 400, "output_tokens": 1350,
         "output_image_tokens": 1290},
        {"provider": "openai", "model": "gpt-5-nano", "input_tokens": 100_000, "cached_input_tokens": 20_000,
         "output_tokens": 10_000, "reasoning_tokens": 7_000, "service_tier": "Flex"},
        {"provider": "openai", "model": "GPT-4o-2024-08-06", "input_tokens": 1_234_567, "output_tokens": 7_654_321,
         "service_tier": "batch"},
        {"provider": "anthropic", "model": "claude-opus-4-6", "input_tokens": 5000, "output_tokens": 50,
         "speed": "fast", "region": "us", "web_search_requests": 3},
        {"model": "openrouter/anthropic/claude-sonnet-4.5", "input_tokens": 777, "total_tokens": 888},
        {"provider": "house", "model": "own-model-20260101", "input_tokens": 1000, "output_tokens": 10},
        {"provider": "openai", "model": LONG_NAME, "input_tokens": 1000, "output_tokens": 10, "tenant_id": "т" * 300},
        {"provider": "ÉTABLI", "model": "Modèle, \"9\"", "output_tokens": 10, "reported_cost_usd": "123.456789"},
        {"provider": "openai", "model": "gpt-4o", "input_tokens": 50, "output_tokens": None, "tenant_id": ""},
        {"provider": "openai", "model": "gpt-4o", "input_tokens": 9_999_999_999, "output_tokens": 1,
         "reported_cost_usd": "25000.000000000001", "environment": "dev"},
        {"provider": "google", "model": "gemini-2.5-flash"},
        {"provider": "openai", "model": "gpt-4.1", "requested_model": "gpt-4o", "status": "Error"},
        {"provider": "openai", "model": "gpt-4.1", "input_tokens": 5, "output_tokens": 5, "other_usage": {}},
        {"provider": "google", "model": "gemini-3-pro-preview", "input_tokens": 10, "output_tokens": 2,
         "other_usage": {"input_video_tokens": 4, "characters": 0}},
    ]  # fmt: skip
    for day in (1, 9, 17):
        for number, call in enumerate(calls):
            yield {"event_id": f"kind-{day}-{number}", "started_at": moment(day, 60 * number + 0.25),
                   "tenant_id": NAMES[number % 5], "endpoint_tag": "every kind", "project_id": "p", **call}  # fmt: skip


def refused() -> Iterator[Event | str]:
    """What is quarantined, each for its own reason; and what cannot even be parsed."""
    call = {"provider": "openai", "model": "gpt-4o", "input_tokens": 100, "output_tokens": 10}
    faults: list[Event] = [
        {"input_tokens": -1}, {"output_tokens": 10_000_000_001}, {"cached_input_tokens": 101}, {"total_tokens": 5},
        {"started_at": "2019-12-31T23:59:59Z"}, {"started_at": "2031-01-01"}, {"other_usage": {"pàges": 1}},
        {"status": "ok"}, {"environment": "production"}, {"data_mode": "fake"}, {"user_type": "robot"},
    ]  # fmt: skip
    for number, fault in enumerate(faults):
        yield {"event_id": f"fault-{number}", "started_at": moment(2, 600 + number), **call, **fault}
    yield {"event_id": "unparsed-1", "started_at": "yesterday", **call}
    yield {"event_id": "unparsed-2", "started_at": moment(2, 1), **call, "input_tokens": 12.7}
    yield '{"event_id": "unparsed-3", "started_at": "2026-09-12T00:00:00Z", "model": "gpt-4'


def batches() -> dict[str, Iterable[Event | str]]:
    """First load; late rows, redeliveries and another attempt of an old request; revisions; two new days."""
    random = Random(20261121)
    everything = [*checkout(random), *support(random), *every_usage_type()]
    late = everything[5::40]
    first = [event for event in everything if event not in late]
    redelivered = [dict(event) for event in first[7::60]]
    corrected = [event | {"output_tokens": 77} for event in first[11::90]]
    call = {"provider": "openai", "model": "gpt-4o", "endpoint_tag": "midnight", "input_tokens": 900}
    return {
        "1_first": [*first, *refused(), *({**call, "started_at": moment(3, 5), "output_tokens": 1} for _ in range(3))],
        "2_late": [
            *late, *redelivered, *corrected,
            {"event_id": "m-5-0", "started_at": moment(5, 1430), "external_request_id": "over-5", "status": "timeout",
             **call},
        ],
        "3_moved": [
            {**first[300], "started_at": moment(21, 30)},
            {"event_id": "m-9-2", "started_at": moment(10, 3), "external_request_id": "over-9", "output_tokens": 95,
             **call},
        ],
        "4_next_days": [
            {"event_id": f"next-{number}", "started_at": moment(DAYS - 2 + number % 2, 100 + 11 * number),
             "endpoint_tag": "support.reply", "tenant_id": NAMES[number % 5], "output_tokens": 31, **call}
            for number in range(60)
        ],
    }  # fmt: skip


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, events in batches().items():
        text = "".join(f"{event if isinstance(event, str) else _line(event)}\n" for event in events)
        (FOLDER / f"{name}.jsonl").write_text(text, encoding="utf-8")


def _line(event: Event) -> str:
    return json.dumps({name: value for name, value in event.items() if value is not None}, ensure_ascii=False)


if __name__ == "__main__":
    main()
