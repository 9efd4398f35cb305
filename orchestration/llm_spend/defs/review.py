"""The weekly review, written to a page and told to whom a route names for it."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from rich.console import Console

from llm_spend import paths, review
from llm_spend.alerts.deliver import alerts_dir, notify
from llm_spend.alerts.notices import WEEKLY_REVIEW, notice
from llm_spend.defs.failures import one_line_failures
from llm_spend.defs.settings import DUCKDB_POOL, PREFIX

A_WEEK_AND_A_DAY = dg.FreshnessPolicy.time_window(fail_window=timedelta(days=8))


@dg.asset(
    key=[PREFIX, "weekly_review_posted"],
    deps=[dg.AssetKey([PREFIX, "marts", "weekly_review"])],
    group_name="delivery",
    description=(
        "The review of the last whole week: a page beside the outbox, and what is to decide as one message. A week is "
        "told once, however often this runs."
    ),
    kinds={"python"},
    freshness_policy=A_WEEK_AND_A_DAY,
    pool=DUCKDB_POOL,
)
def weekly_review_posted() -> dg.MaterializeResult:
    """Routes that name the rule `weekly_review`, and those that name none, take it."""
    now = datetime.now(UTC).replace(tzinfo=None)
    with one_line_failures():
        monday, is_complete, rows = review.review(paths.default_database(), None)
        page = alerts_dir() / "reviews" / f"{monday}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(review.html(review.markdown(monday, is_complete, rows)), encoding="utf-8")
        heading = f"LLM spend, week of {monday}"
        told = notice(WEEKLY_REVIEW, str(monday), "info", heading, review.brief(rows), now)
        notify(told, paths.default_database(), Console(), now)
    return dg.MaterializeResult(metadata={"page": dg.MetadataValue.path(page), "week": str(monday)})
