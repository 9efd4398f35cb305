"""The rules of a valid row, read from the models: they are written once, in SQL."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from llm_spend.dbt_run import (
    BuildRequest,
    close_connections,
    dbt_environment,
    environment,
    parse_arguments,
    place_arguments,
)
from llm_spend.errors import UserError
from llm_spend.ingest.schema import CALLS, USAGE_EVENTS
from llm_spend.paths import artifacts_dir, project_dir

MODEL = "int_usage_events_judged"
LANDED_ROWS = "landed_rows"
"""The view that stands for the event table in the compiled SQL; a source of frames creates it for each file."""

_VOCABULARIES = """{{ tojson({
    'status': accepted_statuses(),
    'environment': accepted_environments(),
    'data_mode': accepted_data_modes(),
    'user_type': accepted_user_types(),
}) }}"""


@dataclass(frozen=True)
class StagingRules:
    """`select` gives a row of `LANDED_ROWS` its quarantine_reason; `vocabularies` the words a column may hold."""

    select: str
    vocabularies: dict[str, list[str]]


def staging_rules(as_of: datetime, source: str) -> StagingRules:
    """Compile the judging model over `LANDED_ROWS` of a source, as of a naive UTC moment; it opens no database file."""
    from dbt.cli.main import dbtRunner

    table = CALLS[source].name
    place = "usage_events" if source == USAGE_EVENTS.source else source
    request = BuildRequest(
        database=Path(":memory:"),
        event_source="source" if source == USAGE_EVENTS.source else "landing",
        as_of=as_of.strftime("%Y-%m-%d %H:%M:%S"),
        vars={
            "usage_sources": [source],
            f"{place}_database": "temp",
            f"{place}_schema": "main",
            f"{table}_identifier": LANDED_ROWS,
        },
    )
    project, artifacts = project_dir(), artifacts_dir() / "quality" / "dbt"
    command, *options = [
        *parse_arguments(request),
        *place_arguments(project, artifacts, artifacts / "logs"),
        "--log-level", "none",
    ]  # fmt: skip
    offline = ["--no-introspect", "--no-populate-cache"]
    with environment(dbt_environment(request, project)):
        manifest = _result(dbtRunner().invoke([command, *options]))
        models, words = (
            [run.node for run in _result(dbtRunner(manifest=manifest).invoke(["compile", *what, *offline, *options]))]
            for what in (["--select", MODEL, f"staging.{source}"], ["--inline", _VOCABULARIES])
        )
        close_connections()
    return StagingRules(_in_one(models), json.loads(words[0].compiled_code))


def _in_one(models: list[Any]) -> str:
    """The SQL of the judging model, with what the staging models before it say in their place."""
    models = [node for node in models if node.resource_type == "model"]
    select = next(model.compiled_code for model in models if model.name == MODEL)
    # The last in order of dependence is put in first, and what it reads after it.
    for model in sorted(models, key=lambda one: len(one.depends_on.nodes), reverse=True):
        if model.name != MODEL:
            select = select.replace(model.relation_name, f"({model.compiled_code})")
    return select


def _result(outcome):
    if not outcome.success:
        reason = " ".join(str(outcome.exception).split())
        raise UserError(f"dbt could not compile {MODEL} for the gate: {reason}", exit_code=1)
    return outcome.result
