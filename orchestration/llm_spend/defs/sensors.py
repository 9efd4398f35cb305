"""Who is told when a run needs a person. A failed check does not fail its run: both ways a run can end are watched."""

import logging
import os
from collections.abc import Iterable

import dagster as dg

from llm_spend.alerts.channels import SLACK_URL_VARIABLE
from llm_spend.alerts.http import post_json
from llm_spend.alerts.slack import SECTION_LENGTH, escape

_log = logging.getLogger("llm_spend")


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of checks that failed in a run that succeeded: warnings of the gate and of dbt, refused alerts.",
)
def failed_checks(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    run_id = context.dagster_run.run_id
    failed = _failed_checks(context)
    if not failed:
        return dg.SkipReason(f"All checks of run {run_id} passed.")
    _tell(f"{len(failed)} failed checks in run {run_id}, which succeeded", map(_check_line, failed))
    return None


@dg.run_failure_sensor(
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells of a run that failed: a file that cannot be read, an error at the gate, a model or a test.",
)
def failed_runs(context: dg.RunFailureSensorContext) -> None:
    steps = [f"{step.step_key}: {_reason(step)}" for step in context.get_step_failure_events()]
    _tell(
        f"Run {context.dagster_run.run_id} failed",
        [*(steps or [context.failure_event.message or ""]), *map(_check_line, _failed_checks(context))],
    )


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


def _tell(heading: str, lines: Iterable[str]) -> None:
    """Write to the log of the code server, and to Slack where alerts go there."""
    text = "\n".join([heading, *(f"  {line[:300]}" for line in list(lines)[:20])])
    _log.error(text)
    url = os.environ.get(SLACK_URL_VARIABLE, "").strip()
    if url:
        outcome = post_json(url, {"text": escape(text, SECTION_LENGTH), "mrkdwn": False}, budget_seconds=30)
        if outcome.status != "sent":
            raise RuntimeError(f"Slack did not take the message: {outcome.error}")
