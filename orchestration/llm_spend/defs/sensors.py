"""Who is told when a run needs a person. A failed check does not fail its run: both ways a run can end are watched."""

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

import dagster as dg
from rich.console import Console

from llm_spend import paths
from llm_spend.alerts.deliver import notify
from llm_spend.alerts.notices import FAILED_CHECKS, FAILED_RUNS, notice
from llm_spend.defs.settings import PREFIX

_log = logging.getLogger("llm_spend")


@dg.run_status_sensor(
    name=f"{PREFIX}_failed_checks",
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of checks that failed in a run that succeeded: warnings of the gate and of dbt, refused alerts.",
)
def failed_checks(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    run_id = context.dagster_run.run_id
    if not is_ours(context.dagster_run):
        return dg.SkipReason(f"Run {run_id} has nothing of llm_spend.")
    failed = _failed_checks(context)
    if not failed:
        return dg.SkipReason(f"All checks of run {run_id} passed.")
    heading = f"{len(failed)} failed checks in run {run_id}, which succeeded"
    _tell(FAILED_CHECKS, run_id, heading, map(_check_line, failed))
    return None


@dg.run_failure_sensor(
    name=f"{PREFIX}_failed_runs",
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of a run that failed: a file that cannot be read, an error at the gate, a model or a test.",
)
def failed_runs(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    run_id = context.dagster_run.run_id
    if not is_ours(context.dagster_run):
        return dg.SkipReason(f"Run {run_id} has nothing of llm_spend.")
    steps = [f"{step.step_key}: {_reason(step)}" for step in context.get_step_failure_events()]
    _tell(
        FAILED_RUNS,
        run_id,
        f"Run {run_id} failed",
        [*(steps or [context.failure_event.message or ""]), *map(_check_line, _failed_checks(context))],
    )
    return None


def is_ours(run: dg.DagsterRun) -> bool:
    """Whether a run is of a job of ours, or of some of our assets. A code location may hold those of others."""
    return run.job_name.startswith(f"{PREFIX}_") or any(key.path[0] == PREFIX for key in run.asset_selection or ())


def failed_evaluations(evaluations: Iterable[dg.AssetCheckEvaluation]) -> list[dg.AssetCheckEvaluation]:
    """The checks whose last evaluation failed, errors first: a retried step evaluates its checks again."""
    last = {(one.asset_key, one.check_name): one for one in evaluations}
    failed = (one for one in last.values() if not one.passed)
    return sorted(failed, key=lambda one: (one.severity.value, one.asset_key.to_user_string(), one.check_name))


def _failed_checks(context: dg.RunStatusSensorContext) -> list[dg.AssetCheckEvaluation]:
    entries = context.instance.all_logs(context.dagster_run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    return failed_evaluations(entry.dagster_event.asset_check_evaluation_data for entry in entries)


def _check_line(check: dg.AssetCheckEvaluation) -> str:
    detail = f": {check.description}" if check.description else ""
    return f"{check.severity.value} {check.asset_key.to_user_string()} · {check.check_name}{detail}"


def _reason(step: dg.DagsterEvent) -> str:
    error = step.step_failure_data.user_failure_data or step.step_failure_data.error
    return " ".join((getattr(error, "description", None) or getattr(error, "message", "")).split())


def _tell(rule_id: str, run_id: str, heading: str, lines: Iterable[str]) -> None:
    """Write to the log of the code server, and to the channels that take such notices."""
    shown = [line[:300] for line in list(lines)[:20]]
    _log.error("\n".join([heading, *(f"  {line}" for line in shown)]))
    now = datetime.now(UTC).replace(tzinfo=None)
    told = notice(rule_id, run_id, "warning", heading, shown, now)
    notify(told, paths.default_database(), Console(), now)
