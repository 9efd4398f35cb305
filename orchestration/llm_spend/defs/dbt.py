"""Seeds and models as assets, data tests as their checks, from a manifest that is never stale."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, DbtProject, dbt_assets

from llm_spend import dbt_run, paths
from llm_spend.defs.failures import one_line_failures
from llm_spend.defs.settings import DUCKDB_POOL, PREFIX, Settings
from llm_spend.errors import UserError
from llm_spend.ingest.schema import PRECEDENCE
from llm_spend.writing import begin_build, end_build, keep_demo_apart, writing

LANDING = dg.AssetKey([PREFIX, "landing"])
ALERTS = dg.AssetKey([PREFIX, "marts", "alerts"])

_LANDED = ("landing", *PRECEDENCE)
_SOURCES_OF_A_PROJECT = ("dbt_project.yml", "models", "macros", "seeds", "tests/dbt")


class LayeredTranslator(DagsterDbtTranslator):
    """Groups are the folders, descriptions those of dbt, and the landing tables are the asset that fills them."""

    def __init__(self) -> None:
        super().__init__(DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True))

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source" and dbt_resource_props["source_name"] in _LANDED:
            return LANDING
        return super().get_asset_key(dbt_resource_props).with_prefix(PREFIX)

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return group_of(dbt_resource_props["resource_type"], dbt_resource_props["fqn"])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        return dbt_resource_props["description"]


def group_of(resource_type: str, fqn: Sequence[str]) -> str:
    """The group of a dbt node: its layer, and its folder within one that has several steps or audiences."""
    if resource_type != "model":
        return f"{resource_type}s"
    layer, *folders = fqn[1:-1]
    return layer if layer == "staging" or not folders else f"{layer}_{folders[0]}"


def prepared_project(settings: Settings) -> DbtProject:
    """The dbt project, its manifest parsed anew when it is older than a file of the project."""
    project_dir = paths.project_dir()
    request = settings.build_request()
    artifacts = artifacts_dir(request)
    manifest = artifacts / "manifest.json"
    if is_stale(manifest, project_dir):
        settings.write_config_seeds()
        _write_manifest(manifest, request, project_dir)
    return DbtProject(project_dir, target_path=artifacts)


def artifacts_dir(request: dbt_run.BuildRequest) -> Path:
    """Where the manifest is: the vars decide what a model refers to, the DuckDB file names the database of each."""
    values = dbt_run.dbt_variables(request).values()
    parts = ["-".join(value) if isinstance(value, list) else value for value in values]
    parts.append(request.database.stem)
    return paths.artifacts_dir() / "dagster_dbt" / "-".join(parts)


def is_stale(manifest: Path, project_dir: Path) -> bool:
    """Whether a file of the dbt project was changed, added or removed since the manifest was written."""
    if not manifest.exists():
        return True
    written = manifest.stat().st_mtime
    sources = [path for name in _SOURCES_OF_A_PROJECT if (path := project_dir / name).exists()]
    return any(path.stat().st_mtime > written for source in sources for path in (source, *source.rglob("*")))


def dbt_build(settings: Settings, project: DbtProject, days: dg.PartitionsDefinition) -> dg.AssetsDefinition:
    """The asset of each seed and model. A partition is days to build again, whatever else a run finds changed."""

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        name=f"{PREFIX}_dbt_build",
        dagster_dbt_translator=LayeredTranslator(),
        partitions_def=days,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=DUCKDB_POOL,
    )
    def build(context: dg.AssetExecutionContext):
        window = context.partition_time_window
        touched = dbt_run.touched_days(window.start.date(), window.end.date())
        request = settings.build_request(touched)
        settings.write_config_seeds()
        with ExitStack() as held:
            with one_line_failures():
                held.enter_context(writing(request.database, "Dagster", tell=context.log.info))
                keep_demo_apart(request.database, request.event_source)
                begin_build(request.database)
            held.enter_context(dbt_run.environment(dbt_run.dbt_environment(request, project.project_dir)))
            invocation = dbt_resource(project).cli(dbt_run.build_arguments(request), context=context)
            try:
                yield from invocation.stream().fetch_row_counts()
            finally:
                # Row counts are read by this process, which has alerts to read next.
                invocation.adapter.cleanup_connections()
                dbt_run.close_connections()
            # A failed data test does not fail the step, but its marts are not to be published.
            if invocation.is_successful() and not context.is_subset:
                end_build(request.database)

    return build


def dbt_resource(project: DbtProject) -> DbtCliResource:
    return DbtCliResource(project_dir=project, dbt_executable=_dbt_executable())


def _write_manifest(manifest: Path, request: dbt_run.BuildRequest, project_dir: Path) -> None:
    """Parse beside the manifest and move it into place: another process may be reading the old one."""
    parsing, started = manifest.parent / "parse", time.time()
    command = [
        _dbt_executable(),
        *dbt_run.parse_arguments(request),
        *dbt_run.place_arguments(project_dir, parsing, parsing),
    ]
    environment = {**os.environ, **dbt_run.dbt_environment(request, project_dir)}
    parsed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if parsed.returncode:
        raise UserError(f"dbt cannot parse {project_dir}: {' '.join(parsed.stdout.split())}", exit_code=1)
    os.utime(parsing / "manifest.json", (started, started))
    (parsing / "manifest.json").replace(manifest)


def _dbt_executable() -> str:
    """The dbt beside this Python: a virtual environment need not be activated."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else shutil.which("dbt") or "dbt"
