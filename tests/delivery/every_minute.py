"""The code location as users run it, with the hourly schedule's tick at every minute for a test to wait for."""

import dagster as dg

from llm_spend import definitions as usual
from llm_spend.defs.schedules import BUILD_SPEND, judged_day


@dg.schedule(
    job=BUILD_SPEND,
    cron_schedule="* * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def hourly_build_at_every_minute(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """One run at a time: the next minute's would only wait for it."""
    unfinished = context.instance.get_runs(dg.RunsFilter(statuses=list(_UNFINISHED)), limit=1)
    if unfinished:
        return dg.SkipReason("a run is under way")
    return dg.RunRequest(partition_key=judged_day(context.scheduled_execution_time))


_UNFINISHED = {
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
}

defs = dg.Definitions.merge(usual.defs, dg.Definitions(schedules=[hourly_build_at_every_minute]))
