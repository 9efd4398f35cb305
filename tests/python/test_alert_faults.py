"""Incidents by the hundred through services that fail, by a deliverer that is killed: nothing is lost.

LLM_SPEND_INCIDENTS and LLM_SPEND_KILLS say how many; `make test-delivery` does a thousand and twenty.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alerting import CANARY, RESOLVED, incident, write_alerts
from bad_services import DEDUPES, BadServices, bad_services
from llm_spend.alerts.outbox import open_outbox
from llm_spend.alerts.store import Place

INCIDENTS = int(os.environ.get("LLM_SPEND_INCIDENTS", "100"))
KILLS = int(os.environ.get("LLM_SPEND_KILLS", "3"))
SEED = 20261122
SERVICES = ("slack", "pagerduty", "webhook", "smtp")
SEVERITIES = ("critical", "warning")

DELIVERER = """
import logging, os, sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
import requests
from rich.console import Console
from llm_spend.alerts.channels import channels
from llm_spend.alerts.deliver import default_outbox, deliver
from llm_spend.alerts.routing import Matcher, Route, Routing

database, outbox, first, last = Path(sys.argv[1]), default_outbox(), int(sys.argv[2]), int(sys.argv[3])
logging.basicConfig(level=logging.DEBUG)
kinds = {"slack": "slack", "pagerduty": "pagerduty", "webhook": "webhook", "smtp": "apprise"}
routes = [
    Route(name, kind, f"{name.upper()}_ADDRESS", "WEBHOOK_SECRET", Matcher(), None, 60, 100000)
    for name, kind in kinds.items()
]
to = [
    replace(channel, budget_seconds=4)
    for channel in channels(routes, os.environ, Console(), Path("unused.jsonl"))
    if channel.name in kinds
]
for run in range(first, last):
    requests.post(os.environ["RUN_ADDRESS"], data=str(run))
    report = deliver(database, outbox, to, datetime(2026, 8, 4) + timedelta(hours=run), Routing(routes))
    print(run, report, flush=True)
    if not any(channel.pending for channel in report.channels):
        break
"""


class Scene:
    """A mart, its outbox, and services that are about to fail."""

    def __init__(self, folder: Path, services: BadServices, outbox: Place | None) -> None:
        self.folder, self.services = folder, services
        self.database, self.outbox = folder / "spend.duckdb", outbox or folder / "llm_spend_outbox.sqlite"
        self.runs, self.output = 0, b""

    def deliver(self, to_the_end: bool = True) -> None:
        """Run the deliverer, again after each kill, until nothing waits."""
        while True:
            arguments = [self.database, str(self.runs + 1), str(self.runs + 10_000)]
            started = subprocess.Popen(
                [sys.executable, "-c", DELIVERER, *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment()},
                cwd=self.folder,
            )
            self.services.victim = started.pid
            self._look_at(started.pid)
            output, _ = started.communicate(timeout=3600)
            self.output += output
            self.runs = self.services.run
            if started.returncode == 0:
                return
            assert started.returncode == -signal.SIGKILL, output[-3000:].decode()

    def _environment(self) -> dict[str, str]:
        http, smtp = f"http://127.0.0.1:{self.services.http_port}", f"127.0.0.1:{self.services.smtp_port}"
        return {
            "DAGSTER_HOME": str(self.folder),
            "LLM_SPEND_OUTBOX_URL": self.outbox if isinstance(self.outbox, str) else "",
            "NO_PROXY": "127.0.0.1",
            "RUN_ADDRESS": f"{http}/run",
            "SLACK_ADDRESS": f"{http}/slack/{CANARY}",
            "PAGERDUTY_ADDRESS": f"key{CANARY}",
            "LLM_SPEND_PAGERDUTY_URL": f"{http}/pagerduty",
            "WEBHOOK_ADDRESS": f"{http}/webhook/{CANARY}",
            "WEBHOOK_SECRET": f"signs{CANARY}",
            "SMTP_ADDRESS": f"mailto://{smtp}/?from=llm@acme.example&to=s3cr3tcanary@acme.example&mode=insecure",
        }

    def _look_at(self, pid: int) -> None:
        """What `ps` shows of the process while it runs."""
        shown = subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, check=False)
        self.output += shown.stdout


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with bad_day(tmp_path_factory.mktemp("faults")) as scene:
        yield scene


@contextmanager
def bad_day(folder: Path, outbox: Place | None = None) -> Iterator[Scene]:
    """All incidents open, told through faults and kills; then half of them resolved, told through more faults."""
    chance = random.Random(SEED)
    kill_at = sorted(chance.randrange(5, INCIDENTS * len(SERVICES)) for _ in range(KILLS))
    with bad_services(BadServices(SEED, fault_rate=0.2, hangs=2, kill_at=kill_at)) as services:
        scene = Scene(folder, services, outbox)
        opened = [incident(name, severity=chance.choice(SEVERITIES)) for name in _names()]
        write_alerts(scene.database, *opened)
        scene.deliver()
        _revive(scene)
        write_alerts(
            scene.database, *({**one, **(RESOLVED if number % 2 else {})} for number, one in enumerate(opened))
        )
        services.fault_rate = 0.2
        scene.deliver()
        _revive(scene)
        yield scene


def _names() -> list[str]:
    return [f"a-{number:05}" for number in range(INCIDENTS)]


def _revive(scene: Scene) -> None:
    """What was refused for good is told once somebody has corrected the channel."""
    scene.services.fault_rate = 0
    with open_outbox(scene.outbox) as box:
        box.revive()
    scene.deliver()


def test_the_day_was_bad(scene: Scene) -> None:
    assert scene.services.kills == KILLS
    assert {"429 soon", "429 late", "500", "400", "reset", "hang", "slow", "451"} <= set(scene.services.faults)


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_is_lost(scene: Scene, service: str) -> None:
    told = Counter(name for one in scene.services.of(service) for name in set(one.ids))
    if service == "pagerduty":  # the end of an incident names its key alone
        told = Counter(one.key.removeprefix("f-") for one in scene.services.of(service))
    resolved = set(_names()[1::2])
    assert {name for name in _names() if told[name] < 1 + (name in resolved)} == set()


@pytest.mark.parametrize("service", ["slack", "smtp"])
def test_at_most_one_message_a_kill_comes_twice(scene: Scene, service: str) -> None:
    messages = Counter(_title_and_id(one.body) for one in scene.services.of(service) if one.ids)
    assert sum(count - 1 for count in messages.values()) <= KILLS


@pytest.mark.parametrize("service", DEDUPES)
def test_what_comes_twice_has_the_same_key(scene: Scene, service: str) -> None:
    by_key: dict[str, set[str]] = {}
    for one in scene.services.of(service):
        action = json.loads(one.body).get("event_action") or json.loads(one.body)["event"]
        if action == "notice":
            continue  # how many messages wait for the next run
        by_key.setdefault(f"{one.key} {action}", set()).add(one.ids[0] if one.ids else "")
    assert all(len(names) == 1 for names in by_key.values())
    assert len(by_key) == INCIDENTS + len(_names()[1::2])


def test_the_pager_ends_with_what_is_open(scene: Scene) -> None:
    is_open: dict[str, bool] = {}
    for one in scene.services.of("pagerduty"):
        is_open[one.key] = json.loads(one.body)["event_action"] == "trigger"
    assert {key for key, still in is_open.items() if still} == {f"f-{name}" for name in _names()[0::2]}


@pytest.mark.parametrize("service", SERVICES)
def test_the_most_severe_go_first(scene: Scene, service: str) -> None:
    """In each run; what failed in one run waits for the next."""
    by_run: dict[int, list[int]] = {}
    for one in scene.services.of(service):
        found = re.search(r"CRITICAL|WARNING|\"severity\":\"(critical|warning)", one.body)
        if found:
            by_run.setdefault(one.run, []).append(SEVERITIES.index(found[0].lower().split('"')[-1]))
    assert by_run
    assert all(ranks == sorted(ranks) for ranks in by_run.values())


def test_the_backlog_drains(scene: Scene) -> None:
    with open_outbox(scene.outbox) as box:
        assert [row for service in SERVICES for row in box.unsent(service)] == []


def test_no_secret_is_left_anywhere(scene: Scene) -> None:
    """Every logger wrote at DEBUG, every file of the outbox is read, and so is what `ps` shows."""
    files = [path.read_bytes() for path in scene.folder.iterdir() if path.is_file()]
    lines = [line for text in (scene.output, *files) for line in text.splitlines()]
    assert [line[:300] for line in lines if any(secret.encode() in line for secret in CANARY.split("/"))] == []


def _title_and_id(body: str) -> tuple[str, str]:
    title = re.search(r"(?:CRITICAL|WARNING)[^\"\n]*", body)
    return title[0].strip() if title else "", re.search(r"\ba-\d+\b", body)[0]
