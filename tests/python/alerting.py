"""A small `marts.alerts`, and channels that tests can see into."""

import json
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import duckdb

from llm_spend.alerts.channels import Channel
from llm_spend.alerts.outbox import SENT, Outcome, Row

NOW = datetime(2026, 8, 4, 6, 0)
LATER, LATER_STILL = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
CANARY = "T0CANARY/B0CANARY/s3cr3tcanary"

ALERTS_DDL = """
create schema if not exists marts;
create table marts.alerts (
    alert_id text, fingerprint text, rule_id text, severity text, entity_type text, entity_id text, period_type text,
    metric text, window_start timestamp, window_end timestamp, opened_at timestamp, last_seen_at timestamp,
    resolved_at timestamp, status text, observed_value double, baseline_value double, threshold_value double,
    change_percent double, impact_usd decimal(28, 12), likely_cause text, recommended_action text, evidence text,
    owner text
)
"""


def incident(alert_id: str, **changes: object) -> dict[str, object]:
    """An hourly spike of the total that opened on 3 August at 15:00."""
    base = {
        "alert_id": alert_id,
        "fingerprint": f"f-{alert_id}",
        "rule_id": "hourly_spend_spike",
        "severity": "critical",
        "entity_type": "total",
        "entity_id": "total",
        "period_type": "hourly",
        "metric": "hourly_cost",
        "window_start": datetime(2026, 8, 3, 14, 0),
        "window_end": datetime(2026, 8, 3, 15, 0),
        "opened_at": datetime(2026, 8, 3, 15, 0),
        "last_seen_at": datetime(2026, 8, 3, 15, 0),
        "resolved_at": None,
        "status": "open",
        "observed_value": 1250.0,
        "baseline_value": 200.0,
        "threshold_value": 1000.0,
        "change_percent": 525.0,
        "impact_usd": "1050.000000000001",
        "likely_cause": "A runaway loop or a burst of traffic",
        "recommended_action": "Stop the run or limit its rate",
        "evidence": json.dumps(
            {
                "top_tenant": "acme",
                "top_endpoint": "support_chat",
                "top_model": "gpt-5",
                "top_prompt_version": None,
                "top_agent": "triage",
                "sample_request_ids": ["r1", "r2", "r3"],
            }
        ),
        "owner": None,
    }
    return {**base, **changes}


RESOLVED = {"status": "resolved", "resolved_at": datetime(2026, 8, 3, 16, 0)}
LONG_OVER = {
    "status": "resolved",
    "opened_at": datetime(2026, 6, 10, 9, 0),
    "resolved_at": datetime(2026, 6, 10, 11, 0),
    "severity": "warning",
}


def write_alerts(database: Path, *incidents: dict[str, object]) -> None:
    """Make `marts.alerts` hold exactly these incidents, as a rebuild does."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("drop table if exists marts.alerts" if _has_marts(connection) else "select 1")
        connection.execute(ALERTS_DDL)
        if any("parent_alert_id" in row for row in incidents):
            connection.execute("alter table marts.alerts add column parent_alert_id text")
        for row in incidents:
            marks = ", ".join("?" for _ in row)
            connection.execute(f"insert into marts.alerts ({', '.join(row)}) values ({marks})", list(row.values()))


def _has_marts(connection: duckdb.DuckDBPyConnection) -> bool:
    sql = "select count(*) from information_schema.schemata where schema_name = 'marts'"
    return connection.execute(sql).fetchone()[0] > 0


@dataclass
class Endpoint:
    """A webhook on 127.0.0.1 that answers what the test says and remembers what it was sent."""

    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    default: tuple[int, dict[str, str]] = (200, {})
    delay_seconds: float = 0
    holds: threading.Event | None = None
    received: list[dict] = field(default_factory=list)
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    accepted: list[dict] = field(default_factory=list)
    asked: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def answer(self, body: dict) -> tuple[int, dict[str, str]]:
        self.received.append(body)
        self.times.append(time.monotonic())
        self.asked.set()
        time.sleep(self.delay_seconds)
        if self.holds:
            self.holds.wait(60)
        status, headers = self.answers.pop(0) if self.answers else self.default
        if 200 <= status < 300:
            self.accepted.append(body)
        return status, headers

    @property
    def accepted_ids(self) -> list[str]:
        return [alert_id for body in self.accepted for alert_id in ids_of(body)]


def ids_of(message: dict) -> list[str]:
    """The alert ids that a Slack message names."""
    return re.findall(r"\ba-[0-9a-z-]+", json.dumps(message["blocks"][1:]))


def headers_of(messages: list[dict]) -> list[str]:
    return [message["blocks"][0]["text"]["text"] for message in messages]


@contextmanager
def serving() -> Iterator[Endpoint]:
    """The endpoint, while it listens."""
    served = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            served.requests.append((dict(self.headers), text))
            status, headers = served.answer(json.loads(text))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": "2"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}/services/{CANARY}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True, kw_only=True)
class Recorder(Channel):
    """A channel in memory that does what it is told."""

    name: str = "recorder"
    messages_per_run: int | None = None
    outcome: Outcome | Exception = SENT
    told: list[tuple[str, str]] = field(default_factory=list)
    messages: list[list[str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def send(self, row: Row, now: datetime) -> Outcome:
        return self.send_list("", [row], now)

    def send_list(self, heading: str, rows: Sequence[Row], now: datetime) -> Outcome:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if self.outcome == SENT:
            self.told.extend((row.alert_id, row.event) for row in rows)
            self.messages.append([row.alert_id for row in rows])
        return self.outcome

    def send_text(self, heading: str, text: str, now: datetime) -> Outcome:
        self.texts.append(heading)
        return SENT
