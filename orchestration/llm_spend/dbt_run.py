"""Runs the dbt project: arguments are pure data, effects are in `build`."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.ingest.sources import loaded_bills, loaded_sources
from llm_spend.paths import artifacts_dir, project_dir, short
from llm_spend.seed_faults import Fault, SeedFile, SeedRule, find_faults, shown

Progress = Callable[[str, int, int], None]
"""Told the node that ended, how many have, and how many there are."""


@dataclass(frozen=True)
class BuildRequest:
    """What to build: `event_source` is demo or landing; `as_of` is naive UTC text or None for now.

    `config_seeds` holds the configuration that applies, `config_dir` the user's own files it was made from. Where
    `select` names resources, only these are built and tested.
    """

    database: Path
    event_source: str = "landing"
    as_of: str | None = None
    config_seeds: Path | None = None
    full_refresh: bool = False
    vars: dict[str, Any] = field(default_factory=dict)
    config_dir: Path | None = None
    select: tuple[str, ...] = ()


class SeedFaultsError(UserError):
    """Rows of seeds that break a rule, all of them in `faults`; the message shows the first."""

    def __init__(self, faults: list[Fault]) -> None:
        count = f"{len(faults):,} fault" + ("s" if len(faults) > 1 else "")
        super().__init__(
            f"{count} in the price book or the configuration\n  " + "\n  ".join(shown(faults)), exit_code=1
        )
        self.faults = faults


def dbt_variables(request: BuildRequest) -> dict[str, Any]:
    """The dbt vars that a build passes; parsing with the same ones gives the manifest of that build."""
    variables = {"event_source": request.event_source, **request.vars}
    if request.event_source == "landing" and (sources := loaded_sources(request.database)) != ["app"]:
        variables.setdefault("usage_sources", sources)
    if request.event_source == "landing" and (bills := loaded_bills(request.database)):
        variables.setdefault("provider_bills", bills)
    if request.as_of:
        variables["as_of"] = request.as_of
    if request.config_seeds:
        variables.setdefault("config_source", "own")
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
        *(["--indirect-selection", "cautious", "--select", *request.select] if request.select else []),
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


def build(request: BuildRequest, progress: Progress, target: Path | None = None) -> None:
    """Run seeds, models and data tests in one dbt build; a failure is a UserError with exit code 1.

    Rows of seeds that break a rule are a SeedFaultsError: whatever else failed, failed because of them.
    """
    from dbt.cli.main import dbtRunner

    project, target = project_dir(), target or artifacts_dir()
    with environment(dbt_environment(request, project)):
        result = dbtRunner(callbacks=[_progress_events(progress)]).invoke(dbt_arguments(request, project, target))
        close_connections()
    if result.exception:
        raise UserError(f"dbt could not run: {_one_line(str(result.exception))}", exit_code=1)
    failures = [node for node in result.result or [] if str(node.status) in ("error", "fail", "runtime error")]
    if faults := _seed_faults(request, project, result.result or [], failures):
        raise SeedFaultsError(faults)
    if failures:
        lines = [f"{node.node.name}: {_one_line(node.message or str(node.status))}" for node in failures]
        raise UserError(
            f"{len(failures)} of {len(result.result)} steps failed (log: {target / 'logs' / 'dbt.log'})\n  "
            + "\n  ".join(lines[:10]),
            exit_code=1,
        )


def _seed_faults(request: BuildRequest, project: Path, results: Iterable[Any], failures: Iterable[Any]) -> list[Fault]:
    seeds = {run.node.unique_id: run.node for run in results if run.node.resource_type == "seed"}
    rules = [
        SeedRule(seeds[run.node.attached_node].name, run.node.compiled_code, run.node.description or run.node.name)
        for run in failures
        if str(run.status) == "fail" and getattr(run.node, "attached_node", None) in seeds
    ]
    if not rules:
        return []
    files = {seed.name: _seed_file(request, project / seed.original_file_path) for seed in seeds.values()}
    with connect(request.database, read_only=True) as connection:
        return find_faults(connection, rules, files)


def _seed_file(request: BuildRequest, path: Path) -> SeedFile:
    """The user's own file where the seed was made from one."""
    own = request.config_dir / path.name if request.config_dir else None
    if own and own.is_file() and request.config_seeds and path.resolve().parent == request.config_seeds.resolve():
        path = own
    return SeedFile(path, Path(short(path)))


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
