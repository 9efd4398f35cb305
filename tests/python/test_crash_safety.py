"""A build that is killed anywhere and run again ends with the marts of one that nothing disturbed.

Three kills, or as many as LLM_SPEND_KILLS says; `make test-crash` does twenty.
"""

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from conftest import MODELS_ONLY, run_cli
from llm_spend.demo import generate
from llm_spend.writing import is_unfinished
from marts import WHEN_WRITTEN, contents

KILLS = int(os.environ.get("LLM_SPEND_KILLS", "3"))
# a single kill is to hit a model
WHAT_IS_KILLED = MODELS_ONLY if KILLS == 1 else {}
SEED = 20261121

Event = dict[str, str]
Marts = dict[str, list[str]]


@dataclass(frozen=True)
class Scene:
    """A warehouse of three weeks, and what the next build finds: a week of events and another price."""

    before: Path
    arguments: Sequence[object]
    expected: Marts
    seconds: float


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("crash")
    first, second = _two_batches(folder)
    config = folder / "config"
    config.mkdir()
    _write(config / "budgets.csv", [{"scope_type": "total", "scope_id": "", "period": "monthly",
                                     "amount_usd": "500", "valid_from": "2026-09-01"}])  # fmt: skip
    before, after = folder / "before.duckdb", folder / "after.duckdb"
    built = run_cli(
        "build", "--events", first, "--config", config, "--db", before, "--as-of", "2026-09-21", **MODELS_ONLY
    )
    assert built.returncode == 0, built.stderr
    _write(config / "price_overrides.csv", [{"provider_id": "openai", "model_id": "gpt-4.1", "discount_percent": "10",
                                             "valid_from": "2026-09-07"}])  # fmt: skip
    arguments = ("build", "--events", second, "--config", config, "--as-of", "2026-09-28")
    shutil.copyfile(before, after)
    started = time.monotonic()
    built = run_cli(*arguments, "--db", after, **WHAT_IS_KILLED)
    seconds = time.monotonic() - started
    assert built.returncode == 0, built.stderr
    expected = marts(after)
    # the second batch says something: other rows, and another price for some of those that were there
    assert expected["fct_llm_attempts"] != marts(before)["fct_llm_attempts"]
    assert _discounted(before) == 0 < _discounted(after)
    return Scene(before, arguments, expected, seconds)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(KILLS))
def test_a_killed_build_run_again_ends_as_if_undisturbed(
    scene: Scene, number: int, tmp_path: Path, capfd: pytest.CaptureFixture
) -> None:
    # one in each part of the run, so that even three are spread over it
    share = (number + random.Random(SEED + number).random()) / KILLS
    database, whole = tmp_path / "spend.duckdb", scene.seconds
    while ended := _build_and_kill(scene, database, share * whole):
        whole = ended  # it was faster this time

    started = time.monotonic()
    again = run_cli(*scene.arguments, "--db", database, "--wait", 0, **MODELS_ONLY)
    seconds = time.monotonic() - started

    assert again.returncode == 0, again.stderr
    found = marts(database)
    assert found.keys() == scene.expected.keys()
    assert [name for name in found if found[name] != scene.expected[name]] == []
    with duckdb.connect(str(database), read_only=True) as connection:
        assert not is_unfinished(connection)
    with capfd.disabled():
        print(f"  killed after {share * whole:.1f} s of about {whole:.1f} s, built again in {seconds:.1f} s")  # noqa: T201


def _build_and_kill(scene: Scene, database: Path, seconds: float) -> float | None:
    """Build in a fresh copy and kill it after a while. Returns the seconds it took if it ended before."""
    shutil.copyfile(scene.before, database)
    started = time.monotonic()
    process = subprocess.Popen(
        [Path(sys.executable).with_name("llm-spend"), *map(str, scene.arguments), "--db", database],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | WHAT_IS_KILLED,
    )
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    return None if process.wait() == -signal.SIGKILL else time.monotonic() - started


def marts(database: Path) -> Marts:
    """The marts without what depends on the moment of loading."""
    return contents(database, but=WHEN_WRITTEN | {"_loaded_at", "loaded_at"})


def _discounted(database: Path) -> int:
    """Calls of a week that the first build had priced already, below their list price now."""
    with duckdb.connect(str(database), read_only=True) as connection:
        ((calls,),) = connection.execute(
            """
            select count(*) from marts.fct_llm_attempts
            where cost_usd < list_cost_usd and usage_date_utc between '2026-09-08' and '2026-09-14'
            """
        ).fetchall()
    return calls


def _two_batches(folder: Path) -> tuple[Path, Path]:
    """Three weeks of demo events; then the fourth, with late rows, redeliveries, and revisions that move a call."""
    generate(folder / "demo", seed=7, days=28, events=4000)
    with (folder / "demo" / "raw_demo_usage_events.csv").open(encoding="utf-8", newline="") as file:
        events = [{name: value for name, value in row.items() if name[0] != "_"} for row in csv.DictReader(file)]
    begun = [event for event in events if event["started_at"] < "2026-09-21"]
    late = begun[::50]
    first = [event for event in begun if event not in late]
    week = [event for event in events if event["started_at"] >= "2026-09-21"]
    redelivered = [dict(event) for event in first[10::60]]
    revised = [event | {"output_tokens": "1"} for event in first[20::90] if event["output_tokens"]]
    moved = [event | {"started_at": _days_before(event["started_at"], 2)} for event in first[30::120]]
    assert all((late, redelivered, revised, moved, week))
    return (
        _write(folder / "first.csv", first),
        _write(folder / "second.csv", [*late, *redelivered, *revised, *moved, *week]),
    )


def _days_before(text: str, days: int) -> str:
    return (datetime.fromisoformat(text) - timedelta(days=days)).isoformat(sep=" ")


def _write(path: Path, rows: Iterable[Mapping[str, str]]) -> Path:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path
