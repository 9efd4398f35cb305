"""A server that plays Slack, PagerDuty, a webhook and a mail server, each on its worst day.

What a service has accepted it remembers. A fault of Slack or the mail server refuses the message; PagerDuty and the
webhook, which know a message by its key, may also take it and then say nothing.
"""

import json
import os
import random
import re
import signal
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DEDUPES = ("pagerduty", "webhook")
HTTP_FAULTS = ("429 soon", "429 late", "500", "503", "400", "reset", "slow")
SMTP_FAULTS = ("451", "554", "reset", "slow")
HANG_SECONDS = 6


@dataclass(frozen=True)
class Accepted:
    """One message that a service took, in the deliverer's run `run`."""

    service: str
    run: int
    ids: tuple[str, ...]
    key: str
    body: str


@dataclass
class BadServices:
    """Faults come by chance with a seed, as often as `fault_rate`; `kill_at` counts requests."""

    seed: int
    fault_rate: float
    hangs: int = 0
    kill_at: list[int] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    run: int = 0
    requests: int = 0
    victim: int | None = None
    http_port: int = 0
    smtp_port: int = 0

    def __post_init__(self) -> None:
        self._random, self._lock, self.stopped = random.Random(self.seed), threading.Lock(), threading.Event()
        self._decks: dict[tuple[str, ...], list[str]] = {}

    def fault(self, service: str, known: tuple[str, ...]) -> tuple[str | None, bool]:
        """The fault of this request, and whether the service takes the message all the same."""
        with self._lock:
            self.requests += 1
            self._kill_if_due()
            if self._random.random() >= self.fault_rate:
                return None, True
            fault = self._next(known)
            if self.hangs and "429 soon" in known:
                fault, self.hangs = "hang", self.hangs - 1
            self.faults[fault] = self.faults.get(fault, 0) + 1
            takes = service in DEDUPES and fault in ("hang", "reset", "500") and self._random.random() < 0.5
            return fault, takes or fault == "slow"

    def _next(self, known: tuple[str, ...]) -> str:
        """Every fault before the first comes again, in an order of chance."""
        deck = self._decks.setdefault(known, [])
        if not deck:
            deck.extend(self._random.sample(known, len(known)))
        return deck.pop()

    def _kill_if_due(self) -> None:
        if self.victim and self.kill_at and self.requests >= self.kill_at[0]:
            self.kill_at.pop(0)
            self.kills += 1
            victim, self.victim = self.victim, None
            # Before the service takes it, before it answers, or a little after: whatever the moment brings.
            threading.Timer(self._random.choice((0, 0.002, 0.02)), os.kill, (victim, signal.SIGKILL)).start()

    def accept(self, service: str, body: str, key: str) -> None:
        ids = tuple(re.findall(r"\ba-\d+\b", body))
        with self._lock:
            self.accepted.append(Accepted(service, self.run, ids, key, body))

    def of(self, service: str) -> list[Accepted]:
        return [one for one in self.accepted if one.service == service]


@contextmanager
def bad_services(services: BadServices) -> Iterator[BadServices]:
    """The services, while they listen on loopback."""

    class Http(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            service = self.path.split("/")[1]
            if service == "run":
                services.run = int(body)
                self._answer(200)
                return
            fault, takes = services.fault(service, HTTP_FAULTS)
            if takes:
                services.accept(service, body, _key(service, body, self.headers))
            if fault == "reset":
                _reset(self.connection)
            elif fault == "hang":
                services.stopped.wait(HANG_SECONDS)
                _reset(self.connection)
            elif fault and fault[0].isdigit():
                waits = {"429 soon": "0", "429 late": "120"}
                self._answer(int(fault[:3]), {"Retry-After": waits[fault]} if fault in waits else {})
            else:
                services.stopped.wait(0.1 if fault == "slow" else 0)
                self._answer(202 if service == "pagerduty" else 200)

        def _answer(self, status: int, headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": "2"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: object) -> None:
            pass

    class Smtp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 mail.example\r\n")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "DATA":
                    self._data()
                elif verb == "QUIT":
                    self.wfile.write(b"221 bye\r\n")
                    return
                else:
                    self.wfile.write(b"250 ok\r\n")

        def _data(self) -> None:
            fault, takes = services.fault("smtp", SMTP_FAULTS)
            self.wfile.write(b"354 go on\r\n")
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.decode())
            if takes:
                services.accept("smtp", "".join(lines), "")
            if fault == "reset":
                _reset(self.connection)
                raise ConnectionResetError
            if fault and fault[0].isdigit():
                self.wfile.write(f"{fault} not now\r\n".encode())
            else:
                services.stopped.wait(0.1 if fault == "slow" else 0)
                self.wfile.write(b"250 taken\r\n")

    class Quiet:
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that was killed is no news."""

    class HttpServer(Quiet, ThreadingHTTPServer):
        pass

    class SmtpServer(Quiet, socketserver.ThreadingTCPServer):
        pass

    servers = [HttpServer(("127.0.0.1", 0), Http), SmtpServer(("127.0.0.1", 0), Smtp)]
    services.http_port, services.smtp_port = (server.server_address[1] for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield services
    finally:
        services.stopped.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


def _key(service: str, body: str, headers: object) -> str:
    if service == "pagerduty":
        return json.loads(body)["dedup_key"]
    return headers.get("X-LLM-Spend-Delivery", "")


def _reset(connection: socket.socket) -> None:
    """Close with a reset in the place of a farewell."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
