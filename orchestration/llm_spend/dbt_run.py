"""Runs the dbt project: arguments are pure data, effects are in `build`."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from llm_spend.errors import UserError
from llm_spend.paths import project_dir, target_dir

Progress = Callable[[str, int, int], None]
"""Told the node that ended, how many have, and how many there are."""


@dataclass(frozen=True)
class BuildRequest:
    """What to build: `event_source` is demo or landing; `as_of` is naive UTC text or None for now."""

    database: Path
    event_source: str = "landing"
    as_of: str | None = None
    config_seeds: Path | None = None
    full_refresh: bool = False
    vars: dict[str, str] = field(default_factory=dict)


def dbt_variables(request: BuildRequest) -> dict[str, str]:
    """The dbt vars that a build passes; parsing with the same ones gives the manifest of that build."""
    variables = {"event_source": request.event_source, **request.vars}
    if request.as_of:
        variables["as_of"] = request.as_of
    if request.config_seeds:
        variables["config_source"] = "own"
    return variables


def touched_days(first: date, end: date) -> dict[str, str]:
    """The vars that add the days `[first, end)` to those a build finds touched by itself."""
    return {"touched_from": first.isoformat(), "touched_to": end.isoformat()}


def build_arguments(request: BuildRequest) -> list[str]:
    """What `dbt build` does. Unit tests prove the package, not the user's data: they stay out."""
    return [
        "build",
        "--vars", json.dumps(dbt_variables(request)),
        "--exclude-resource-type", "unit_test",
        *(["--full-refresh"] if request.full_refresh else []),
    ]  # fmt: skip


def parse_arguments(request: BuildRequest) -> list[str]:
    """What `dbt parse` does to write the manifest of this build."""
    return ["parse", "--quiet", "--vars", json.dumps(dbt_variables(request))]


def place_arguments(project: Path, artifacts: Path, logs: Path) -> list[str]:
    """Where dbt reads and writes, whatever the working directory is."""
    return [
        "--project-dir", str(project),
        "--profiles-dir", str(project),
        "--target-path", str(artifacts),
        "--log-path", str(logs),
    ]  # fmt: skip


def dbt_arguments(request: BuildRequest, project: Path, target: Path) -> list[str]:
    """The arguments of a silent `dbt build` that leaves its artifacts and log under `target`."""
    places = place_arguments(project, target / "dbt", target / "logs")
    return [*build_arguments(request), *places, "--log-level", "none"]


def dbt_environment(request: BuildRequest, project: Path) -> dict[str, str]:
    """Environment variables that dbt_project.yml and profiles.yml read."""
    environment = {
        "LLM_SPEND_DUCKDB_PATH": str(request.database),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    if request.config_seeds:
        environment["LLM_SPEND_CONFIG_SEEDS"] = os.path.relpath(request.config_seeds, project)
    return environment


def build(request: BuildRequest, progress: Progress) -> None:
    """Run seeds, models and data tests in one dbt build; a failure is a UserError with exit code 1."""
    from dbt.cli.main import dbtRunner

    project = project_dir()
    with environment(dbt_environment(request, project)):
        result = dbtRunner(callbacks=[_progress_events(progress)]).invoke(dbt_arguments(request, project, target_dir()))
        close_connections()
    if result.exception:
        raise UserError(f"dbt could not run: {_one_line(str(result.exception))}", exit_code=1)
    failures = [node for node in result.result or [] if str(node.status) in ("error", "fail", "runtime error")]
    if failures:
        lines = [f"{node.node.name}: {_one_line(node.message or str(node.status))}" for node in failures]
        raise UserError(
            f"{len(failures)} of {len(result.result)} steps failed (log: {target_dir() / 'logs' / 'dbt.log'})\n  "
            + "\n  ".join(lines[:10]),
            exit_code=1,
        )


def _progress_events(progress: Progress) -> Callable[[object], None]:
    def on_event(event: object) -> None:
        if event.info.name == "NodeFinished":
            progress(event.data.node_info.node_name, 1, 0)
        elif event.info.name == "ConcurrencyLine":
            progress("", 0, event.data.node_count)

    return on_event


@contextmanager
def environment(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def close_connections() -> None:
    """Release the DuckDB file: one process may write it, and a person will open it next."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    DuckDBConnectionManager.close_all_connections()


def _one_line(text: str) -> str:
    return " ".join(text.split())
