"""Everything that Dagster knows of llm_spend: a code location, or a part of one."""

import os
from datetime import timedelta

import dagster as dg

from llm_spend.defs.alerts import alert_delivery
from llm_spend.defs.dbt import dbt_build, prepared_project
from llm_spend.defs.landing import landing_asset, landing_verdict
from llm_spend.defs.prices import prices_are_current
from llm_spend.defs.published import published_copy
from llm_spend.defs.report import report
from llm_spend.defs.review import weekly_review_posted
from llm_spend.defs.schedules import (
    BUILD_SPEND,
    CHECK_PRICES,
    POST_REVIEW,
    daily_build,
    hourly_build,
    price_check,
    weekly_review,
)
from llm_spend.defs.sensors import failed_checks, failed_runs
from llm_spend.defs.settings import Settings, read_settings

# A day and a half: one daily build may be missed before anybody is bothered.
FRESHNESS = dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=26))


def definitions(settings: Settings | None = None) -> dg.Definitions:
    """By the given settings, else the environment. No resource and no executor, so that they merge with any other."""
    settings = settings or read_settings(os.environ)
    project = prepared_project(settings)
    # The running day is a partition too: the hourly build is about it.
    days = dg.DailyPartitionsDefinition(settings.first_day.isoformat(), end_offset=1, timezone="UTC")
    build = dbt_build(settings, project, days)
    assets = [landing_asset(settings), build, published_copy(build), report, alert_delivery, weekly_review_posted]
    return dg.Definitions(
        assets=dg.map_asset_specs(
            lambda spec: spec.replace_attributes(
                owners=spec.owners or [settings.owner], freshness_policy=spec.freshness_policy or FRESHNESS
            ),
            assets,
        ),
        asset_checks=[landing_verdict(settings), prices_are_current],
        jobs=[BUILD_SPEND, POST_REVIEW, CHECK_PRICES],
        schedules=[daily_build, hourly_build, weekly_review, price_check],
        sensors=[failed_checks, failed_runs],
    )
