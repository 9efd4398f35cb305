"""A server that speaks the report APIs of OpenAI and Anthropic as they are documented, in small pages, on a bad day.

What an organization was billed stands in `Books`, which a test may read, count by itself and revise.
"""

import json
import random
import re
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

OPENAI_GROUPS = {
    "usage/completions": {"project_id", "api_key_id", "model", "batch", "service_tier"},
    "usage/embeddings": {"project_id", "api_key_id", "model"},
    "usage/moderations": {"project_id", "api_key_id", "model"},
    "usage/images": {"project_id", "api_key_id", "model", "size", "source"},
    "usage/audio_speeches": {"project_id", "api_key_id", "model"},
    "usage/audio_transcriptions": {"project_id", "api_key_id", "model"},
    "usage/vector_stores": {"project_id"},
    "usage/code_interpreter_sessions": {"project_id"},
    "usage/web_search_calls": {"project_id", "api_key_id", "model", "context_level"},
    "usage/file_search_calls": {"project_id", "api_key_id", "vector_store_id"},
    "costs": {"project_id", "line_item", "api_key_id"},
}
ANTHROPIC_GROUPS = {
    "usage_report/messages": {
        *("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo"),
    },
    "cost_report": {"workspace_id", "description"},
}
PASSING_FAULTS = ("429", "500", "503", "reset", "cut short", "cut json", "html")
_EXACT = re.compile(r'"exactly ([^"]*)"')

Results = dict[date, list[dict[str, object]]]


@dataclass
class Books:
    """Each report's results by day; where a number must be exact, it is a Decimal."""

    reports: dict[str, Results] = field(default_factory=dict)

    @classmethod
    def of(cls, seed: int, first: date, days: int) -> "Books":
        """Some traffic on nine days of ten; null ids, and numbers that a float would not hold."""
        chance, books = random.Random(seed), cls()
        for offset in range(days):
            day = first + timedelta(days=offset)
            if offset % 10 == 4:
                continue
            for report in OPENAI_GROUPS:
                books.reports.setdefault(report, {})[day] = list(_openai(chance, report))
            for report in ANTHROPIC_GROUPS:
                books.reports.setdefault(report, {})[day] = list(_anthropic(chance, report))
        return books

    def rows(self, report: str) -> list[tuple[date, dict[str, object]]]:
        return [(day, result) for day, results in self.reports[report].items() for result in results]


def _openai(chance: random.Random, report: str) -> Iterator[dict[str, object]]:
    for project in ("proj_web", "proj_batch", None):
        for model in ("gpt-5.2", "gpt-4.1-mini"):
            place = {"project_id": project, "user_id": None, "api_key_id": f"key_{chance.randrange(3)}"}
            if report == "costs":
                yield {
                    "object": "organization.costs.result",
                    "amount": {"value": _number(chance, 12), "currency": "usd"},
                    "line_item": f"{model}, input",
                    **place,
                    "quantity": Decimal(chance.randrange(10**6)) / 8,
                    "quantity_unit": "tokens",
                }
                continue
            result = {"object": f"organization.{report.replace('/', '.')}.result", **place}
            if report == "usage/completions":
                cached = chance.randrange(10**6)
                yield {
                    **result,
                    "model": model,
                    "batch": project == "proj_batch",
                    "service_tier": "default",
                    "input_tokens": cached + chance.randrange(10**9),
                    "input_cached_tokens": cached,
                    "input_cache_write_tokens": chance.randrange(100),
                    "output_tokens": chance.randrange(10**8),
                    "input_audio_tokens": 0,
                    "num_model_requests": chance.randrange(1, 10**5),
                }
            elif report == "usage/embeddings":
                yield {**result, "model": model, "input_tokens": chance.randrange(10**9), "num_model_requests": 3}
            elif model == "gpt-5.2":
                counts = {
                    "usage/images": {"images": 4, "num_model_requests": 2, "size": "1024x1024", "source": "image.edit"},
                    "usage/audio_speeches": {"characters": 1234, "num_model_requests": 1},
                    "usage/audio_transcriptions": {"seconds": 61, "num_model_requests": 1},
                    "usage/vector_stores": {"usage_bytes": 2**40, "api_key_id": None},
                    "usage/code_interpreter_sessions": {"num_sessions": 7, "api_key_id": None},
                    "usage/web_search_calls": {"num_requests": 5, "context_level": "low", "model": model},
                    "usage/file_search_calls": {"num_requests": 6, "vector_store_id": "vs_1"},
                    "usage/moderations": {"input_tokens": 99, "num_model_requests": 9, "model": "omni"},
                }[report]
                yield {**result, **counts}


def _anthropic(chance: random.Random, report: str) -> Iterator[dict[str, object]]:
    for workspace in ("wrkspc_a", None):
        for model in ("claude-opus-4-5", "claude-haiku-4-5"):
            shared = {"workspace_id": workspace, "model": model, "service_tier": "standard", "inference_geo": "global"}
            if report == "cost_report":
                for token_type in ("uncached_input_tokens", "cache_creation.ephemeral_1h_input_tokens"):
                    yield {
                        **shared,
                        "amount": str(_number(chance, 14)),
                        "currency": "USD",
                        "cost_type": "tokens",
                        "token_type": token_type,
                        "context_window": "0-200k",
                        "description": f"{model} usage - {token_type}",
                    }
            else:
                yield {
                    **shared,
                    "api_key_id": f"apikey_{chance.randrange(2)}",
                    "context_window": "200k-1M",
                    "uncached_input_tokens": chance.randrange(10**9),
                    "cache_creation": {
                        "ephemeral_5m_input_tokens": 10,
                        "ephemeral_1h_input_tokens": chance.randrange(99),
                    },
                    "cache_read_input_tokens": chance.randrange(10**9),
                    "output_tokens": chance.randrange(10**8),
                    "server_tool_use": {"web_search_requests": chance.randrange(9)},
                }


def _number(chance: random.Random, digits: int) -> Decimal:
    """With more digits than a binary float of its size keeps, negative now and then."""
    return Decimal(chance.randrange(-(10**17), 10**18)).scaleb(-digits)


@dataclass
class ProviderApis:
    """The server's state. `faults` befall the next requests in turn, `statuses` a path for good."""

    books: Books
    keys: Mapping[str, str] = field(
        default_factory=lambda: {"openai": "sk-admin-test", "anthropic": "sk-ant-admin-test"}
    )
    page_days: int = 7
    faults: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    answers: dict[str, object] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    port: int = 0
    _kill_at: int | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What points the command line here."""
        return {
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self.port}/v1",
            "OPENAI_ADMIN_KEY": self.keys["openai"],
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{self.port}",
            "ANTHROPIC_ADMIN_KEY": self.keys["anthropic"],
        }

    def kill(self, victim: subprocess.Popen, after_requests: int | None, seconds: float) -> None:
        """Kill a process so many requests from now, and so many seconds later."""
        self._victim, self._kill_at, self._seconds = victim, after_requests, seconds
        if after_requests:
            self._kill_at = len(self.requests) + after_requests

    def asked(self, request: str) -> None:
        """Note a request, and kill if it is the one."""
        self.requests.append(request)
        if self._kill_at == len(self.requests):
            threading.Timer(self._seconds, self._victim.kill).start()


class _BadRequestError(Exception):
    """The request is not as documented."""


@contextmanager
def provider_apis(apis: ProviderApis) -> Iterator[ProviderApis]:
    """The APIs, while they listen on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            apis.asked(self.path)
            fault = apis.faults.pop(0) if apis.faults else None
            if fault == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
            elif fault == "429":
                self._answer(429, "slow down", {"Retry-After": "1"})
            elif fault and fault.isdigit():
                self._answer(int(fault), f"trouble, and your key is {apis.keys['openai']}")
            elif fault == "html":
                self._answer(200, "<html>maintenance</html>")
            else:
                self._report(address.path, parse_qs(address.query), fault)

        def _report(self, path: str, query: dict[str, list[str]], fault: str | None) -> None:
            try:
                status, body = self._page(path, query)
            except _BadRequestError as error:
                status, body = 400, str(error)
            if fault == "cut short":
                self._answer(status, body[: len(body) // 2], {"Content-Length": str(len(body))})
            else:
                self._answer(status, body[: len(body) // 2] if fault == "cut json" else body)

        def _page(self, path: str, query: dict[str, list[str]]) -> tuple[int, str]:
            if path.startswith("/v1/organization/"):
                report, provider = path.removeprefix("/v1/organization/"), "openai"
                admitted = self.headers["Authorization"] == f"Bearer {apis.keys['openai']}"
            else:
                report, provider = path.removeprefix("/v1/organizations/"), "anthropic"
                admitted = self.headers["x-api-key"] == apis.keys["anthropic"]
            if report not in (OPENAI_GROUPS | ANTHROPIC_GROUPS):
                return 404, f"no such path {path}"
            if not admitted:
                return 401, "who are you?"
            if report in apis.statuses:
                return apis.statuses[report], "not for you"
            if report in apis.answers:
                return 200, json.dumps(apis.answers[report])
            return 200, _page(apis, report, provider, query, self.headers)

        def _answer(self, status: int, body: str, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body.encode())), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was killed is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    apis.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield apis
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _page(
    apis: ProviderApis, report: str, provider: str, query: dict[str, list[str]], headers: Mapping[str, str]
) -> str:
    if provider == "openai":
        groups, known, longest = "group_by", OPENAI_GROUPS[report], 180 if report == "costs" else 31
        first, end = (datetime.fromtimestamp(int(query[name][0]), UTC) for name in ("start_time", "end_time"))
    else:
        groups, known, longest = "group_by[]", ANTHROPIC_GROUPS[report], 31
        first, end = (datetime.fromisoformat(query[name][0]) for name in ("starting_at", "ending_at"))
        if headers["anthropic-version"] != "2023-06-01":
            raise _BadRequestError("anthropic-version is missing")
    if set(query[groups]) != known or query["bucket_width"] != ["1d"] or int(query["limit"][0]) > longest:
        raise _BadRequestError(f"{groups}, bucket_width or limit is not as documented")
    start = datetime.fromisoformat(query["page"][0].removeprefix("page_")) if "page" in query else first
    buckets = [start + timedelta(days=day) for day in range(min((end - start).days, apis.page_days))]
    after = start + timedelta(days=len(buckets))
    has_more = after < end
    page = {
        "object": "page",
        "data": [_bucket(apis, report, provider, bucket) for bucket in buckets],
        "has_more": has_more,
        "next_page": f"page_{after.isoformat()}" if has_more else None,
    }
    return _EXACT.sub(r"\1", json.dumps(page, default=lambda number: f"exactly {number:f}"))


def _bucket(apis: ProviderApis, report: str, provider: str, start: datetime) -> dict[str, object]:
    day = start.astimezone(UTC).date()
    results, midnight = apis.books.reports[report].get(day, []), datetime.combine(day, time(), UTC)
    if provider == "openai":
        seconds = int(midnight.timestamp())
        return {"object": "bucket", "start_time": seconds, "end_time": seconds + 86_400, "results": results}
    end = midnight + timedelta(days=1)
    return {"starting_at": f"{day}T00:00:00Z", "ending_at": f"{end:%Y-%m-%d}T00:00:00Z", "results": results}
