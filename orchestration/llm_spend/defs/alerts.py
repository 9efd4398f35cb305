"""The way out: incidents of the `alerts` mart reach people, once each."""

from datetime import UTC, datetime

import dagster as dg
from rich.console import Console

from llm_spend import paths
from llm_spend.alerts.deliver import DeliveryReport, deliver_configured
from llm_spend.defs.dbt import ALERTS
from llm_spend.defs.failures import one_line_failures
from llm_spend.defs.settings import DUCKDB_POOL, PREFIX

DELIVERED = "alerts_delivered"
DELIVERY = dg.AssetKey([PREFIX, "alert_delivery"])


@dg.asset(
    key=DELIVERY,
    deps=[ALERTS],
    group_name="delivery",
    description=(
        "New incidents of `marts/alerts`, told once each to the console of the run, to a JSONL file, and to the "
        "channels of `alert_routes.csv`; without any, to Slack when `LLM_SPEND_SLACK_WEBHOOK_URL` is set. What a "
        "channel could not take waits for the next try or run."
    ),
    kinds={"python"},
    check_specs=[dg.AssetCheckSpec(DELIVERED, asset=DELIVERY, description="No channel has refused an alert for good.")],
    # Delivery itself tries for half a minute; an endpoint that is down longer gets some more.
    retry_policy=dg.RetryPolicy(max_retries=2, delay=60, backoff=dg.Backoff.EXPONENTIAL),
    pool=DUCKDB_POOL,
)
def alert_delivery() -> dg.MaterializeResult:
    """Fails, and is tried again, while a channel is down; the build before it stands."""
    with one_line_failures():
        report = deliver_configured(paths.default_database(), Console(), datetime.now(UTC))
    waiting = [channel for channel in report.channels if channel.pending and channel.last_error]
    if waiting:
        raise dg.Failure(
            "; ".join(f"{channel.pending} alerts wait for {channel.name}: {channel.last_error}" for channel in waiting)
        )
    return delivery_result(report)


def delivery_result(report: DeliveryReport) -> dg.MaterializeResult:
    """Counts per channel, and a check that fails on dead letters."""
    counts = {
        f"{channel.name}_{status}": getattr(channel, status)
        for channel in report.channels
        for status in ("sent", "pending", "dead", "held", "silenced")
    }
    refused = {channel.name: channel.last_error or "" for channel in report.channels if channel.dead}
    return dg.MaterializeResult(
        metadata=counts,
        check_results=[dg.AssetCheckResult(check_name=DELIVERED, passed=not report.dead, metadata=refused)],
    )
