"""Builds shared by the tests: each runs the real command line once."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from llm_spend.config_seeds import overlay
from llm_spend.dbt_run import BuildRequest, build_arguments, dbt_environment, dbt_variables, place_arguments
from llm_spend.paths import artifacts_dir, project_dir

ROOT = Path(__file__).resolve().parents[2]
AIDER_LOG = ROOT / "tests" / "data" / "aider" / "aider_sample_analytics_message_send.csv"


def pytest_configure() -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        # PySpark, where it is installed, takes a main module without a file for its own tests and ends the process.
        sys.modules["__main__"].__file__ = __file__


LONG = ("test_incremental.py", "test_crash_safety.py", "test_dagster_ui.py", "test_run.py")
"""Files of minutes. Begun first, they leave no worker alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in LONG)


MODELS_ONLY = {"DBT_RESOURCE_TYPES": "seed model"}
"""The environment of a build without data tests, where the test is of something else: the same rows, sooner."""


@pytest.fixture(scope="session", autouse=True)
def _artifacts_of_a_worker(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests that run side by side write dbt's artifacts side by side."""
    os.environ["DBT_TARGET_PATH"] = str(tmp_path_factory.getbasetemp() / "target")


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, the same for every test: for a database at another path dbt parses the whole project anew."""
    return _empty(tmp_path_factory.getbasetemp() / "test")


@pytest.fixture(scope="module")
def module_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, the same for every module."""
    return _empty(tmp_path_factory.getbasetemp() / "module")


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def artifacts(*of: object) -> Path:
    """Where dbt keeps what it parsed, a place for builds of one database with the same vars."""
    return artifacts_dir() / hashlib.sha1(repr(of).encode(), usedforsecurity=False).hexdigest()[:12]


def run_cli(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `llm-spend` as a person does, in a terminal of 100 columns."""
    words = [*map(str, arguments)]
    options = {word: after for word, after in pairwise(words) if word in ("--db", "--as-of")}
    place = artifacts("demo" in words, "--config" in words, options)
    return subprocess.run(
        [Path(sys.executable).with_name("llm-spend"), *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DBT_TARGET_PATH": str(place), "COLUMNS": "100", "NO_COLOR": "1", **environment},
    )


def query(database: Path, sql: str, *parameters: object) -> list[tuple]:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(sql, list(parameters)).fetchall()


def write_jsonl(path: Path, events: Iterable[Mapping[str, object]]) -> Path:
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events), encoding="utf-8")
    return path


def build_models(
    database: Path, log: Path | None, *models: str, config: Path | None = None, as_of: str = "2099-01-01 00:00:00"
) -> None:
    """Load a log, if there is another, and build some models with all that they read, without their tests."""
    if log:
        loaded = run_cli("load", "--events", log, "--db", database)
        assert loaded.returncode == 0, loaded.stderr
    own_seeds = overlay(project_dir() / "seeds" / "config", config, database.parent / "seeds") if config else None
    _run_dbt(BuildRequest(database, as_of=as_of, config_seeds=own_seeds), "test", models=models)


def build_sources(
    database: Path,
    logs: Mapping[Path, str | None],
    *models: str,
    as_of: str = "2026-12-31 00:00:00",
    **variables: object,
) -> Path:
    """Load logs, each with its mapping, and build some models with all that they read and their tests."""
    for log, mapping in logs.items():
        loaded = run_cli("load", "--events", log, *(["--mapping", mapping] if mapping else []), "--db", database)
        assert loaded.returncode == 0, loaded.stderr
    request = BuildRequest(database, as_of=as_of, vars=dict(variables))
    _run_dbt(request, "--indirect-selection", "cautious", models=models)
    return database


def run_unit_tests(database: Path, *folders: str) -> subprocess.CompletedProcess[str]:
    """Run the unit tests of models that only a database with other systems' logs has."""
    request = BuildRequest(database, as_of="2026-12-31 00:00:00")
    project, variables = project_dir(), dbt_variables(request)
    return subprocess.run(
        [
            *(Path(sys.executable).with_name("dbt"), "test", "--vars", json.dumps(variables)),
            *place_arguments(project, artifacts(database, variables), database.parent / "logs"),
            *("--select", *(f"path:{path},test_type:unit" for path in folders)),
        ],
        env={**os.environ, **dbt_environment(request, project)},
        capture_output=True,
        text=True,
        check=False,
    )


def _run_dbt(request: BuildRequest, *options: str, models: Iterable[str]) -> None:
    project = project_dir()
    subprocess.run(
        [
            *(Path(sys.executable).with_name("dbt"), *build_arguments(request), *options),
            *place_arguments(
                project, artifacts(request.database, dbt_variables(request)), request.database.parent / "logs"
            ),
            *("--select", *(f"+{model}" for model in models)),
        ],
        env={**os.environ, **dbt_environment(request, project)},
        check=True,
    )


def built_once(factory: pytest.TempPathFactory, name: str, *arguments: object, **environment: str) -> tuple[Path, str]:
    """A database built by `llm-spend`, and what the command printed. Tests that run side by side share it."""
    folder = factory.getbasetemp()
    folder = (folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder) / name
    folder.mkdir(exist_ok=True)
    database, printed = folder / f"{name}.duckdb", folder / "printed.txt"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            result = run_cli(*arguments, "--db", database, **environment)
            assert result.returncode == 0, result.stderr
            printed.write_text(result.stdout)
    return database, printed.read_text()


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo's database and what the command printed."""
    return built_once(tmp_path_factory, "demo", "demo", **MODELS_ONLY)  # `make test` has just run its data tests


@pytest.fixture(scope="session")
def demo(demo_run: tuple[Path, str]) -> Path:
    return demo_run[0]


@pytest.fixture(scope="session")
def real_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """5,522 real calls of the aider log, loaded with the shipped mapping and built."""
    return built_once(tmp_path_factory, "real", "build", "--events", AIDER_LOG, "--mapping", "aider")


@pytest.fixture(scope="session")
def real(real_run: tuple[Path, str]) -> Path:
    return real_run[0]
