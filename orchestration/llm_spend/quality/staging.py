"""The rules of a valid row, read from the staging model: they are written once, in SQL."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from llm_spend.dbt_run import (
    BuildRequest,
    close_connections,
    dbt_environment,
    environment,
    parse_arguments,
    place_arguments,
)
from llm_spend.errors import UserError
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


def staging_rules(as_of: datetime) -> StagingRules:
    """Compile the staging model over `LANDED_ROWS`, as of a naive UTC moment; it opens no database file."""
    from dbt.cli.main import dbtRunner

    request = BuildRequest(
        database=Path(":memory:"),
        event_source="source",
        as_of=as_of.strftime("%Y-%m-%d %H:%M:%S"),
        vars={
            "usage_events_database": "temp",
            "usage_events_schema": "main",
            "usage_events_identifier": LANDED_ROWS,
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
        select, words = (
            _result(dbtRunner(manifest=manifest).invoke(["compile", *what, *offline, *options]))[0].node.compiled_code
            for what in (["--select", MODEL], ["--inline", _VOCABULARIES])
        )
        close_connections()
    return StagingRules(select, json.loads(words))


def _result(outcome):
    if not outcome.success:
        reason = " ".join(str(outcome.exception).split())
        raise UserError(f"dbt could not compile {MODEL} for the gate: {reason}", exit_code=1)
    return outcome.result
