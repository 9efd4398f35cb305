"""When builds run by themselves. Each tick builds the day it is about, and every other day that changed."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from llm_spend.defs.prices import prices_are_current
from llm_spend.defs.review import weekly_review_posted
from llm_spend.defs.settings import PREFIX

# One process a run: it alone holds the DuckDB file, and starts once.
BUILD_SPEND = dg.define_asset_job(
    f"{PREFIX}_build",
    selection=dg.AssetSelection.key_prefixes(PREFIX)
    - dg.AssetSelection.assets(weekly_review_posted)
    - dg.AssetSelection.checks(prices_are_current),
    description="Load new usage logs, judge them, build every mart and deliver new alerts.",
    executor_def=dg.in_process_executor,
)

POST_REVIEW = dg.define_asset_job(
    f"{PREFIX}_review",
    selection=dg.AssetSelection.assets(weekly_review_posted),
    description="Write the review of the last whole week and tell it.",
)
CHECK_PRICES = dg.define_asset_job(
    f"{PREFIX}_check_prices",
    selection=dg.AssetSelection.checks(prices_are_current),
    description="Compare the price book with the installed genai-prices.",
)


@dg.schedule(
    name=f"{PREFIX}_daily_build",
    job=BUILD_SPEND,
    cron_schedule="10 5 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Load, judge, build and deliver at 05:10 UTC, when yesterday's logs have come in.",
)
def daily_build(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    return dg.RunRequest(partition_key=complete_day(context.scheduled_execution_time))


@dg.schedule(
    name=f"{PREFIX}_hourly_build",
    job=BUILD_SPEND,
    cron_schedule="10 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="The same, ten minutes after every hour, for the running day. Turn it on to hear of a spike at once.",
)
def hourly_build(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    return dg.RunRequest(partition_key=judged_day(context.scheduled_execution_time))


weekly_review = dg.ScheduleDefinition(
    name=f"{PREFIX}_weekly_review",
    job=POST_REVIEW,
    cron_schedule="0 7 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Tell the review on Monday at 07:00 UTC, after the build that holds Sunday.",
)

price_check = dg.ScheduleDefinition(
    name=f"{PREFIX}_price_check",
    job=CHECK_PRICES,
    cron_schedule="40 4 * * 1",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Compare the price book with its source on Monday at 04:40 UTC; a sensor tells what would change.",
)


def complete_day(moment: datetime) -> str:
    """The last UTC day that had ended at an aware moment, as a partition key."""
    return _day(moment - timedelta(days=1))


def judged_day(moment: datetime) -> str:
    """The UTC day of the last hour that had ended at an aware moment, as a partition key."""
    return _day(moment - timedelta(hours=1))


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).date().isoformat()
