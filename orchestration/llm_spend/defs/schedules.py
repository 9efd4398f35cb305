"""When builds run by themselves. Each tick builds the day it is about, and every other day that changed."""

from datetime import UTC, datetime, timedelta

import dagster as dg

BUILD_SPEND = dg.define_asset_job(
    "build_spend",
    selection=dg.AssetSelection.all(),
    description="Load new usage logs, judge them, build every mart and deliver new alerts.",
)


@dg.schedule(
    job=BUILD_SPEND,
    cron_schedule="10 5 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Load, judge, build and deliver at 05:10 UTC, when yesterday's logs have come in.",
)
def daily_build(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    return dg.RunRequest(partition_key=complete_day(context.scheduled_execution_time))


@dg.schedule(
    job=BUILD_SPEND,
    cron_schedule="10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="The same, ten minutes after every hour, for the running day. Turn it on to hear of a spike at once.",
)
def hourly_build(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    return dg.RunRequest(partition_key=judged_day(context.scheduled_execution_time))


def complete_day(moment: datetime) -> str:
    """The last UTC day that had ended at an aware moment, as a partition key."""
    return _day(moment - timedelta(days=1))


def judged_day(moment: datetime) -> str:
    """The UTC day of the last hour that had ended at an aware moment, as a partition key."""
    return _day(moment - timedelta(hours=1))


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
