"""What is planted in the demo data, when, and how it bends an endpoint's traffic."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from llm_spend.demo.world import (
    DEMO_START,
    GPT_4O,
    Endpoint,
    Failure,
    PromptVersion,
)


@dataclass(frozen=True)
class Incident:
    """One row of the labels: it holds in `[starts_at, ends_at)`, or to the end of the log."""

    incident_id: str
    kind: str
    entity_type: str
    entity_id: str
    starts_at: datetime
    ends_at: datetime | None
    metric: str
    unit: str
    description: str

    def covers(self, moment: datetime) -> bool:
        return self.starts_at <= moment and (self.ends_at is None or moment < self.ends_at)


PROMPT_REGRESSION = Incident(
    "prompt_regression",
    "prompt_version_regression",
    "prompt_version",
    "summarizer_v4",
    datetime(2026, 10, 6, 10),
    None,
    "cost_per_request_change",
    "percent",
    "summarizer_v4 replaces summarizer_v3 on checkout.summary, for a fifth of the requests until midnight and"
    " for all from 2026-10-07: each token count is 22% larger on the same model. Realised {change:+.1f}%:"
    " {before} requests of v3 from 7 days before to the canary's end, {after} of v4 to 7 days after it.",
)
NEUTRAL_RELEASE = Incident(
    "neutral_release",
    "prompt_version_neutral",
    "prompt_version",
    "support_v8",
    datetime(2026, 10, 14),
    None,
    "cost_per_request_change",
    "percent",
    "support_v8 replaces support_v7 on support.reply and changes nothing: a control, not to be reported.",
)
RETRY_STORM = Incident(
    "retry_storm",
    "retry_storm",
    "endpoint",
    "support.reply",
    datetime(2026, 9, 16),
    datetime(2026, 9, 18),
    "attempts_per_request",
    "ratio",
    "A broken parser rejects good answers and retries: {attempts} attempts for {requests} requests in scope.",
)
BACKLOG_DAY = Incident(
    "backlog_day",
    "request_backlog",
    "endpoint",
    "support.reply",
    datetime(2026, 10, 5),
    datetime(2026, 10, 6),
    "requests",
    "requests",
    "A moved help desk left tickets open: beside its ordinary work support_bot_v2 answers {requests} of them in a day,"
    " at an even pace and by the key of customer success, for {cost:.2f} USD.",
)
SUPPORT_BOT_DAILY_USD = 50.00
"""Its budget in demo_budgets.csv."""
SUPPORT_BOT_SPENT_USD = 47.32
"""What the day of the backlog takes of it, in a log of DEFAULT_EVENTS."""
BUDGET_NEARLY_SPENT = Incident(
    "budget_nearly_spent",
    "budget_warning",
    "agent",
    "support_bot_v2",
    BACKLOG_DAY.starts_at,
    BACKLOG_DAY.ends_at,
    "spent_usd",
    "usd",
    "The day of the backlog takes {cost:.2f} of the agent's daily {budget:.2f} USD: {share:.1%}.",
)
RUNAWAY_LOOP = Incident(
    "runaway_loop",
    "runaway_agent_loop",
    "run",
    "run-7f3a91",
    datetime(2026, 9, 29, 1),
    datetime(2026, 9, 29, 5),
    "run_calls",
    "calls",
    "research_agent_v1 searches in circles for vantage-freight, its context growing call by call, for about"
    " {cost:.2f} USD.",
)
SILENT_SWITCH = Incident(
    "silent_switch",
    "silent_model_change",
    "endpoint",
    "ticket.classify",
    datetime(2026, 9, 24, 14),
    None,
    "attempts_on_new_model",
    "attempts",
    "Routing answers gpt-4o-mini requests with gpt-4o under the same classifier_v2, at 16.7 times the token"
    " prices. Counted are the attempts in scope with tokens.",
)
CACHE_LOSS = Incident(
    "cache_loss",
    "cache_stops_hitting",
    "endpoint",
    "contract.review",
    datetime(2026, 10, 13),
    None,
    "cached_input_tokens",
    "tokens",
    "A timestamp at the top of the prompt breaks the provider's cache: no cached tokens in {attempts}"
    " attempts in scope, where {hit_rate:.0%} hit before.",
)
TEST_AS_PRODUCTION = Incident(
    "test_as_production",
    "test_traffic_as_production",
    "tenant",
    "qa-loadtest",
    datetime(2026, 10, 8, 13),
    datetime(2026, 10, 8, 16),
    "attempts",
    "attempts",
    "A load test on product.search sent as prod and real by one synthetic user.",
)
NEW_ID_PER_RETRY = Incident(
    "new_id_per_retry",
    "new_request_id_per_retry",
    "tenant",
    "quill-media",
    datetime(2026, 9, 7),
    datetime(2026, 9, 28),
    "hidden_retries",
    "attempts",
    "Its client makes a new external_request_id for each retry on document.analysis: the retries counted look"
    " like first attempts, seconds after a failure with the same input.",
)
UNPROFITABLE_TENANT = Incident(
    "unprofitable_tenant",
    "tenant_below_cost",
    "tenant",
    "tidepool",
    DEMO_START,
    None,
    "monthly_contract_value",
    "usd",
    "tidepool pays 49.00 USD a month and runs deep research all day: about {cost:.0f} USD of calls in scope"
    " in October.",
)
USAGE_MISSING = Incident(
    "usage_missing",
    "usage_missing",
    "endpoint",
    "product.search",
    DEMO_START,
    None,
    "attempts",
    "attempts",
    "Streams closed before their usage block: successful calls without tokens, all scopes.",
)
ENDPOINT_RENAME = Incident(
    "endpoint_rename",
    "endpoint_tag_rename",
    "endpoint",
    "checkout.summary",
    DEMO_START,
    datetime(2026, 9, 14),
    "attempts",
    "attempts",
    "In scope, logged as checkout_summary in these weeks; an alias keeps the history together.",
)
TENANT_MERGE = Incident(
    "tenant_merge",
    "tenant_merged",
    "tenant",
    "brightcart",
    DEMO_START,
    datetime(2026, 9, 21),
    "attempts",
    "attempts",
    "Part of its traffic in scope came as brightcart-eu before the accounts were merged; an alias keeps the"
    " history together.",
)
REDELIVERIES = Incident(
    "redeliveries",
    "redelivered_rows",
    "total",
    "total",
    DEMO_START,
    None,
    "redelivered_rows",
    "rows",
    "The same event_id again with a later _loaded_at, {corrected} of them with corrected tokens.",
)
LATE_ROWS = Incident(
    "late_rows",
    "late_rows",
    "tenant",
    "solstice-travel",
    datetime(2026, 10, 3),
    datetime(2026, 10, 5),
    "late_rows",
    "rows",
    "Its log shipper was down for a weekend: these rows landed three days after the calls.",
)
QUARANTINE = Incident(
    "quarantine",
    "quarantined_rows",
    "total",
    "total",
    DEMO_START,
    None,
    "quarantined_rows",
    "rows",
    "Typed rows that contradict the contract, one for each reason.",
)
REJECTED = Incident(
    "rejected",
    "rejected_rows",
    "total",
    "total",
    DEMO_START,
    None,
    "rejected_rows",
    "rows",
    "Lines that cannot be parsed at all.",
)

STORM_FAILURES = (
    Failure("error", "invalid_json_output", "whole", 0.85),
    Failure("timeout", "request_timeout", "input", 0.15),
)
V4_SIZE = 1.22
COMPARED_DAYS = timedelta(days=7)
NEW_ID_FAILURE_RATE = 0.35
RENAMED_ENDPOINT = "checkout_summary"
MERGED_TENANT = "brightcart-eu"
CANARY_ENDS_AT = datetime(2026, 10, 7)
CANARY_SHARE = 0.2


def endpoint_at(endpoint: Endpoint, hour: datetime) -> Endpoint:
    """The endpoint as it behaves in this hour, incidents included."""
    if endpoint.tag == "checkout.summary":
        if ENDPOINT_RENAME.covers(hour):
            return replace(endpoint, tag=RENAMED_ENDPOINT)
        if PROMPT_REGRESSION.covers(hour):
            share = CANARY_SHARE if hour < CANARY_ENDS_AT else 1.0
            newer = PromptVersion("summarizer_v4", share, V4_SIZE)
            older = PromptVersion("summarizer_v3", 1.0 - share)
            return replace(endpoint, versions=(newer, older))
    if endpoint.tag == "support.reply":
        if RETRY_STORM.covers(hour):
            return replace(endpoint, failure_rate=0.7, give_up_rate=0.05, failures=STORM_FAILURES)
        if NEUTRAL_RELEASE.covers(hour):
            return replace(endpoint, versions=(PromptVersion("support_v8"),))
    if endpoint.tag == SILENT_SWITCH.entity_id and SILENT_SWITCH.covers(hour):
        return replace(endpoint, models=((GPT_4O, 1.0),))
    if endpoint.tag == CACHE_LOSS.entity_id and CACHE_LOSS.covers(hour):
        return replace(endpoint, hit_rate=0.0)
    return endpoint


def plants(first_attempt: dict[str, Any], opens_at: datetime) -> Iterator[tuple[str, str]]:
    """Where a request in scope counts, by its first attempt and its hour: (incident_id, side)."""
    endpoint_tag, version = first_attempt["endpoint_tag"], first_attempt["prompt_version"]
    tenant_id = first_attempt["tenant_id"]
    for incident in (RETRY_STORM, SILENT_SWITCH, CACHE_LOSS):
        if endpoint_tag == incident.entity_id and incident.covers(opens_at):
            yield incident.incident_id, ""
    if endpoint_tag == CACHE_LOSS.entity_id and not CACHE_LOSS.covers(opens_at):
        yield CACHE_LOSS.incident_id, "before_"
    if endpoint_tag == RENAMED_ENDPOINT:
        yield ENDPOINT_RENAME.incident_id, ""
    if tenant_id == MERGED_TENANT:
        yield TENANT_MERGE.incident_id, ""
    if first_attempt["agent_id"] == BUDGET_NEARLY_SPENT.entity_id and BUDGET_NEARLY_SPENT.covers(opens_at):
        yield BUDGET_NEARLY_SPENT.incident_id, ""
    if tenant_id == UNPROFITABLE_TENANT.entity_id and opens_at.month == 10:
        yield UNPROFITABLE_TENANT.incident_id, ""
    if version == NEUTRAL_RELEASE.entity_id:
        yield NEUTRAL_RELEASE.incident_id, ""
    if version == "summarizer_v3" and opens_at >= PROMPT_REGRESSION.starts_at - COMPARED_DAYS:
        yield PROMPT_REGRESSION.incident_id, "before_"
    if version == PROMPT_REGRESSION.entity_id and opens_at < CANARY_ENDS_AT + COMPARED_DAYS:
        yield PROMPT_REGRESSION.incident_id, "after_"
