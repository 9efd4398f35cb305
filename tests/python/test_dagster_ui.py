"""A real `make ui`: started, asked through its GraphQL API to run the demo, and stopped."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from conftest import ROOT, query
from llm_spend.paths import artifacts_dir

pytestmark = pytest.mark.slow

LOCATION = {"repositoryName": "__repository__", "repositoryLocationName": "llm_spend.definitions"}
LAUNCH = """
mutation ($run: ExecutionParams!) {
  launchRun(executionParams: $run) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
RUN = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status startTime endTime } } }"
CHECKS = """
query ($id: ID!, $cursor: String) {
  runOrError(runId: $id) {
    ... on Run {
      eventConnection(afterCursor: $cursor) {
        cursor
        hasMore
        events { ... on AssetCheckEvaluationEvent { evaluation { checkName success } } }
      }
    }
  }
}
"""
TICK = """
mutation ($schedule: ScheduleSelector!, $at: Float) {
  scheduleDryRun(selectorData: $schedule, timestamp: $at) {
    ... on DryRunInstigationTick {
      evaluationResult { error { message } runRequests { tags { key value } } }
    }
  }
}
"""


@dataclass(frozen=True)
class Ui:
    """A running `make ui`, the leader of its own process group."""

    process: subprocess.Popen
    port: int
    database: Path
    log: Path

    def ask(self, graphql: str, **variables: object) -> dict:
        body = {"query": graphql, "variables": variables}
        answer = requests.post(f"http://127.0.0.1:{self.port}/graphql", json=body, timeout=60).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def launch(self, assets: Sequence[str] | None = None, partition: str | None = None) -> str:
        selector = {**LOCATION, "pipelineName": "llm_spend_build"}
        if assets:
            selector["assetSelection"] = [{"path": ["llm_spend", asset]} for asset in assets]
        tags = [{"key": "dagster/partition", "value": partition}] if partition else []
        launched = self.ask(LAUNCH, run={"selector": selector, "executionMetadata": {"tags": tags}})["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return launched["run"]["runId"]

    def run(self, run_id: str) -> dict:
        return self.ask(RUN, id=run_id)["runOrError"]

    def wait(self, run_id: str, seconds: float) -> dict:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run = self.run(run_id)
            if run["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
                return run
            time.sleep(0.5)
        pytest.fail(f"run {run_id} did not end in {seconds} s:\n{self.log.read_text()[-3000:]}")

    def checks(self, run_id: str) -> dict[str, bool]:
        found, cursor = {}, None
        while True:
            events = self.ask(CHECKS, id=run_id, cursor=cursor)["runOrError"]["eventConnection"]
            evaluations = [event["evaluation"] for event in events["events"] if event]
            found |= {evaluation["checkName"]: evaluation["success"] for evaluation in evaluations}
            cursor = events["cursor"]
            if not events["hasMore"]:
                return found

    def processes(self) -> list[str]:
        """The living processes of the group."""
        lines = subprocess.run(["ps", "-A", "-o", "pgid=,stat=,args="], capture_output=True, text=True, check=True)
        columns = [line.split(None, 2) for line in lines.stdout.splitlines()]
        return [args for pgid, stat, args in columns if int(pgid) == self.process.pid and not stat.startswith("Z")]


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    home = tmp_path_factory.mktemp("dagster")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database, log = home / "spend.duckdb", home / "log.txt"
    with log.open("w") as out:
        process = subprocess.Popen(
            ["make", "ui", f"UI_PORT={port}", f"DAGSTER_HOME={home}"],
            cwd=ROOT,
            env=environment(LLM_SPEND_DUCKDB_PATH=str(database)),
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Dagster interrupts its children, and whoever starts the tests in the background has them ignore that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    started = Ui(process, port, database, log)
    try:
        _wait_until_up(started)
        yield started
    finally:
        if started.processes():
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_up(ui: Ui) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and ui.process.poll() is None:
        try:
            locations = ui.ask("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
            if locations["repositoriesOrError"].get("nodes"):
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.5)
    pytest.fail(f"the UI did not start:\n{ui.log.read_text()[-3000:]}")


def test_a_scheduled_tick_is_evaluated(ui: Ui):
    at = datetime(2026, 10, 26, 5, 10, tzinfo=UTC).timestamp()
    tick = ui.ask(TICK, schedule={**LOCATION, "scheduleName": "llm_spend_daily_build"}, at=at)["scheduleDryRun"]
    result = tick["evaluationResult"]
    assert result["error"] is None
    [request] = result["runRequests"]
    assert {"key": "dagster/partition", "value": "2026-10-25"} in request["tags"]


def test_a_run_succeeds_with_its_checks_and_another_waits_for_it(ui: Ui):
    first = ui.launch(partition="2026-10-25")
    second = ui.launch(assets=["landing"])
    ended = ui.wait(first, seconds=420)
    assert ended["status"] == "SUCCESS", ui.log.read_text()[-3000:]
    checks = ui.checks(first)
    manifest = json.loads((artifacts_dir() / "dagster_dbt" / f"demo-{ui.database.stem}" / "manifest.json").read_text())
    nodes = [node for node in manifest["nodes"].values() if node["config"]["enabled"]]
    tests = {node["name"] for node in nodes if node["resource_type"] == "test"}
    assert set(checks) == tests | {"landing_verdict", "alerts_delivered"}
    assert all(checks.values())
    copy = ui.database.with_name(f"{ui.database.stem}.published.duckdb")
    assert query(copy, "select count(*) > 0 from marts.fct_llm_attempts") == [(True,)]

    waited = ui.wait(second, seconds=120)
    assert waited["status"] == "SUCCESS"
    assert waited["startTime"] >= ended["endTime"]


def test_it_stops_and_leaves_no_process(ui: Ui):
    """At once, or after Dagster's two heartbeats of 30 s each, where a busy code server misses the signal."""
    os.killpg(ui.process.pid, signal.SIGTERM)
    deadline = time.monotonic() + 120
    while ui.processes() and time.monotonic() < deadline:
        ui.process.poll()
        time.sleep(0.2)
    assert ui.processes() == []


def environment(**variables: str) -> dict[str, str]:
    """Ours, without what a user or an outer make may have set."""
    others = ("LLM_SPEND_", "DAGSTER_", "MAKE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    return {**kept, "DO_NOT_TRACK": "1", **variables}
