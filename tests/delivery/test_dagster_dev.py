"""A real `dagster dev`: what an application logs reaches people by the schedule, with no hand in between.

A tenant spends more in an hour than its contract allows, and less in the next one. The log is a file; Slack, PagerDuty
and a webhook are a server on loopback. Only the clock of the schedule is faster: every minute in place of every hour.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from alerting import CANARY, Endpoint, serving
from conftest import ROOT, write_jsonl

SECONDS_TO_TELL = 1500
HOUR = timedelta(hours=1)


def calls(hour: datetime, count: int) -> list[dict[str, object]]:
    """Calls of 10 cents each at gpt-4o's 2.50 and 10 USD a million: 20,000 tokens in, 5,000 out."""
    return [
        {
            "event_id": f"{hour:%d%H}-{number}",
            "started_at": (hour + timedelta(seconds=20 * number)).isoformat(),
            "provider": "openai",
            "model": "gpt-4o",
            "tenant_id": "acme",
            "endpoint_tag": "chat",
            "external_request_id": f"{hour:%d%H}-{number}",
            "input_tokens": 20_000,
            "output_tokens": 5_000,
        }
        for number in range(count)
    ]


class Office:
    """A Dagster that runs, its log folder, and whom it tells."""

    def __init__(self, folder: Path, endpoint: Endpoint, log: Path, process: subprocess.Popen) -> None:
        self.folder, self.endpoint, self.log, self.process = folder, endpoint, log, process
        self.events = folder / "events"

    def stop(self) -> None:
        """End Dagster and all that it started; again does nothing."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def wait_for(self, what: Callable[[dict], bool]) -> dict:
        """The first message of that kind."""
        deadline = time.monotonic() + SECONDS_TO_TELL
        while time.monotonic() < deadline and "Error loading" not in self.log.read_text():
            for body in list(self.endpoint.accepted):
                if what(body):
                    return body
            time.sleep(1)
        told = json.dumps(self.endpoint.accepted)[:3000]
        pytest.fail(f"nobody was told; told was {told}; the log ends\n{self.log.read_text()[-5000:]}")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    for name in ("events", "config", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / "config" / "budgets.csv").write_text(
        "scope_type,scope_id,period,amount_usd,valid_from,budget_kind\n"
        f"tenant,acme,hourly,5,{datetime.now(UTC) - timedelta(days=9):%Y-%m-%d},contracted\n"
    )
    (tmp_path / "config" / "alert_routes.csv").write_text(
        "channel,kind,address_variable,secret_variable,severity\n"
        "chat,slack,CHAT_ADDRESS,,\n"
        "pager,pagerduty,PAGER_KEY,,critical\n"
        "hook,webhook,HOOK_ADDRESS,HOOK_SECRET,critical\n"
    )
    shutil.copy(ROOT / "orchestration" / "dagster.yaml", tmp_path / "home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving() as endpoint, (tmp_path / "log.txt").open("w") as log:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("LLM_SPEND_", "DAGSTER_"))},
            "DAGSTER_HOME": str(tmp_path / "home"),
            "DO_NOT_TRACK": "1",
            "DBT_TARGET_PATH": str(tmp_path / "target"),
            "LLM_SPEND_EVENTS": str(tmp_path / "events" / "*.jsonl"),
            "LLM_SPEND_CONFIG": str(tmp_path / "config"),
            "LLM_SPEND_DUCKDB_PATH": str(tmp_path / "spend.duckdb"),
            "LLM_SPEND_PAGERDUTY_URL": endpoint.url.replace(CANARY, "pager"),
            "NO_PROXY": "127.0.0.1",
            "CHAT_ADDRESS": endpoint.url,
            "PAGER_KEY": f"key-{CANARY}",
            "HOOK_ADDRESS": endpoint.url,
            "HOOK_SECRET": f"secret-{CANARY}",
        }
        dagster = Path(sys.executable).with_name("dagster")
        subprocess.run(
            [dagster, "instance", "concurrency", "set", "llm_spend_duckdb", "1"], env=environment, check=True
        )
        where = ["--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen(
            [dagster, "dev", "--python-file", Path(__file__).with_name("every_minute.py"), *where],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        office = Office(tmp_path, endpoint, tmp_path / "log.txt", process)
        try:
            yield office
        finally:
            office.stop()


def test_an_incident_and_its_end_go_from_the_log_to_people(office: Office) -> None:
    this_hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    quiet = [call for hours in range(3, 60) for call in calls(this_hour - hours * HOUR, 30)]
    write_jsonl(office.events / "1.jsonl", [*quiet, *calls(this_hour - 2 * HOUR, 120)])

    page = office.wait_for(lambda body: body.get("payload", {}).get("class") == "tenant_hourly_budget")
    assert page["event_action"] == "trigger"
    assert page["payload"]["source"] == "acme"
    chat = office.wait_for(lambda body: "CRITICAL tenant_hourly_budget · tenant acme · open" in body.get("text", ""))
    assert "240.0%" in json.dumps(chat)  # 12 of 5 USD, four times the usual hour: no spike of its own
    hook = office.wait_for(lambda body: _is(body, "opened"))
    assert float(hook["daily_spend_usd"]) >= 12

    write_jsonl(office.events / "2.jsonl", calls(this_hour - HOUR, 20))

    key = page["dedup_key"]
    office.wait_for(lambda body: (body.get("event_action"), body.get("dedup_key")) == ("resolve", key))
    office.wait_for(lambda body: "tenant_hourly_budget · tenant acme · resolved" in body.get("text", ""))
    assert office.wait_for(lambda body: _is(body, "resolved"))["incident"]["status"] == "resolved"

    told = [body["event_action"] for body in office.endpoint.accepted if body.get("dedup_key") == key]
    assert told == ["trigger", "resolve"], "the runs in between told nothing twice"
    office.stop()
    written = b"".join(path.read_bytes() for path in office.folder.rglob("*") if path.is_file())
    assert CANARY.encode() not in written


def _is(body: dict, event: str) -> bool:
    """The webhook's message of this event of the contract."""
    return (body.get("event"), body.get("alert_type")) == (event, "tenant_hourly_budget")
