"""The kinds of incidents, how large and how long each is in real life, and which alert rules may report it."""

from dataclasses import dataclass
from typing import Literal

Class = Literal["hourly", "daily", "version drift", "slow drift"]
"""How soon an alert should come: each class has its own aim for the delay."""

SPEND = ("hourly_spend_spike", "daily_spend_jump", "week_over_week_outlier", "slow_spend_drift")
REQUESTS = ("request_volume_spike", "hourly_request_spike")
SHARE = ("endpoint_concentration_shift", "tenant_concentration_shift", "user_concentration_shift")
BUDGET = ("budget_warning", "budget_exceeded", "budget_forecast_exceeded", "tenant_hourly_budget")
EXTRA_COST = SPEND + SHARE + BUDGET
"""Whatever makes an entity dearer may move its spend, its share and its budget."""
LONGER_CALLS = ("endpoint_tokens_per_request", "cost_per_token_spike")
NEW_VERSION = ("prompt_version_cost_drift", "prompt_version_token_drift")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind. `rules` may rightly report it, those `meant` for it should. `why` says where its sizes come from.

    `size` is drawn evenly between its ends and means what `size_is` says; `hours` is how long it lasts, drawn too.
    `begins`: at any hour, when people `work` (deploys, batches), at the start of a `day` or of a `month`.
    `endpoints` and `ranks` of tenants are those it can hit. A `small_share` of them costs next to nothing, on the
    `small_endpoints` or of the `small_size`: nobody should be woken, and they count neither way.
    """

    name: str
    detected: Class
    meant: tuple[str, ...]
    rules: tuple[str, ...]
    size: tuple[float, float] = (1, 1)
    size_is: str = ""
    why: str
    hours: tuple[int, int] = (24, 24)
    begins: Literal["any", "work", "day", "month"] = "any"
    endpoints: tuple[str, ...] = ()
    ranks: tuple[int, int] | None = None
    small_size: tuple[float, float] | None = None
    small_endpoints: tuple[str, ...] = ()
    is_burst: bool = False

    @property
    def has_small(self) -> bool:
        return bool(self.small_size or self.small_endpoints)


SMALL_SHARE = 0.12
BUSY = ("chat.assist", "support.reply", "code.assist", "document.summary")
CHEAP = ("ticket.classify", "product.search")
CACHED = ("chat.assist", "support.reply", "code.assist", "contract.review")
DAY = 24

KINDS = (
    Kind(
        name="runaway_loop",
        detected="hourly",
        meant=("hourly_spend_spike", "workflow_run_cost"),
        rules=(*EXTRA_COST, *REQUESTS, "workflow_run_cost", "endpoint_tokens_per_request"),
        size=(20, 120),
        size_is="dollars of the run",
        why="An agent that goes in circles is stopped by a limit or a person within hours: tens of dollars.",
        hours=(2, 6),
        endpoints=("research.report", "code.assist", "data.question"),
        ranks=(1, 15),
        small_size=(0.8, 2.5),
        is_burst=True,
    ),
    Kind(
        name="prompt_regression",
        detected="version drift",
        meant=NEW_VERSION,
        rules=(*EXTRA_COST, *LONGER_CALLS, *NEW_VERSION),
        size=(0.2, 0.4),
        size_is="input tokens on top, as a share of the mean input",
        why="More retrieved passages or a longer history, which no cache holds: a fifth to two fifths more input.",
        hours=(12 * DAY, 18 * DAY),
        begins="work",
        endpoints=BUSY,
        small_endpoints=CHEAP,
    ),
    Kind(
        name="request_volume_spike",
        detected="daily",
        meant=("request_volume_spike", "daily_spend_jump"),
        rules=(*EXTRA_COST, *REQUESTS),
        size=(25, 110),
        size_is="dollars of the batch",
        why="A backfill or import that somebody started on the live endpoint: some hundred documents in a working day.",
        hours=(8, 16),
        begins="work",
        endpoints=("document.summary", "chat.assist", "code.assist"),
        ranks=(2, 20),
        small_size=(0.5, 2),
        is_burst=True,
    ),
    Kind(
        name="cache_loss",
        detected="daily",
        meant=("cache_hit_rate_drop",),
        rules=(*EXTRA_COST, "cache_hit_rate_drop", "cost_per_token_spike"),
        why="A timestamp or a user's name at the top of the prompt: no call finds the cache, and each writes it anew.",
        hours=(4 * DAY, 10 * DAY),
        begins="work",
        endpoints=CACHED,
    ),
    Kind(
        name="retry_storm",
        detected="daily",
        meant=("retry_multiplier_increase",),
        rules=(*EXTRA_COST, "retry_multiplier_increase", *REQUESTS, "endpoint_tokens_per_request"),
        size=(0.62, 0.78),
        size_is="share of attempts that fail",
        why="A parser that rejects good answers, a timeout set too low: two and a half to four attempts per request.",
        hours=(36, 60),
        begins="work",
        endpoints=BUSY,
        small_endpoints=CHEAP,
    ),
    Kind(
        name="silent_model_switch",
        detected="daily",
        meant=("silent_model_change",),
        rules=(*EXTRA_COST, "silent_model_change", "cost_per_token_spike"),
        size=(0.6, 1.0),
        size_is="share of the calls that the dearer model answers",
        why="A fallback route left on, a changed alias: most calls go to the next dearer model until a bill shows it.",
        hours=(7 * DAY, 14 * DAY),
        endpoints=("chat.assist", "support.reply", "data.question", "research.report"),
        small_endpoints=("ticket.classify",),
    ),
    Kind(
        name="expensive_workflow_run",
        detected="daily",
        meant=("workflow_run_cost",),
        rules=(*EXTRA_COST, "workflow_run_cost", *REQUESTS, "endpoint_tokens_per_request"),
        size=(15, 60),
        size_is="dollars of the run",
        why="One task of a size nobody thought of, such as a whole data room: ten times a usual run or more.",
        hours=(1, 3),
        begins="work",
        endpoints=("research.report", "contract.review", "data.question"),
        ranks=(1, 20),
        is_burst=True,
    ),
    Kind(
        name="context_growth",
        detected="slow drift",
        meant=("slow_spend_drift", "endpoint_tokens_per_request"),
        rules=(*EXTRA_COST, *LONGER_CALLS),
        size=(0.02, 0.04),
        size_is="growth of the input tokens per day",
        why="A history that is never cut, an index that fills: two to four percent a day, until somebody cuts it.",
        hours=(14 * DAY, 14 * DAY),
        begins="day",
        endpoints=(*BUSY, "data.question"),
    ),
    Kind(
        name="endpoint_spike",
        detected="hourly",
        meant=("hourly_spend_spike", *REQUESTS),
        rules=(*EXTRA_COST, *REQUESTS),
        size=(4, 7),
        size_is="times the usual requests",
        why="A component that renders twice, a poll without back-off: each user calls several times as often.",
        hours=(3, 8),
        begins="work",
        endpoints=BUSY,
        small_endpoints=CHEAP,
        is_burst=True,
    ),
    Kind(
        name="user_abuse",
        detected="daily",
        meant=("user_concentration_shift",),
        rules=(*EXTRA_COST, *REQUESTS),
        size=(1.5, 4),
        size_is="times the tenant's own traffic, by the one user",
        why="A shared login or a script on a person's account: one user takes most of the tenant.",
        hours=(3 * DAY, 8 * DAY),
        begins="day",
        endpoints=("chat.assist", "code.assist"),
        ranks=(2, 15),
    ),
    Kind(
        name="prompt_output_regression",
        detected="version drift",
        meant=NEW_VERSION,
        rules=(*EXTRA_COST, *LONGER_CALLS, *NEW_VERSION),
        size=(2.5, 4),
        size_is="times the usual output tokens",
        why="'Answer briefly' was lost, or reasoning is printed: answers several times as long.",
        hours=(12 * DAY, 18 * DAY),
        begins="work",
        endpoints=BUSY,
        small_endpoints=("ticket.classify",),
    ),
    Kind(
        name="untagged_traffic",
        detected="daily",
        meant=("untagged_spend",),
        rules=(*EXTRA_COST, "untagged_spend"),
        why="A deploy of a new client forgets the endpoint tag; it comes back with the next deploy.",
        hours=(2 * DAY, 6 * DAY),
        begins="work",
        endpoints=BUSY,
        small_endpoints=CHEAP,
    ),
    Kind(
        name="tenant_concentration",
        detected="daily",
        meant=("tenant_concentration_shift",),
        rules=(*EXTRA_COST, *REQUESTS),
        size=(3, 5),
        size_is="times the tenant's usual traffic",
        why="A customer rolls out to all its staff on a flat price: a tenth of the bill becomes a quarter.",
        hours=(10 * DAY, 14 * DAY),
        begins="day",
        ranks=(2, 6),
    ),
    Kind(
        name="unpriced_model",
        detected="daily",
        meant=("unpriced_usage",),
        rules=("unpriced_usage", "silent_model_change"),
        size=(0.3, 0.7),
        size_is="share of the endpoint's calls",
        why="A preview model tried in production before its price is known: its calls cost nothing on paper.",
        hours=(3 * DAY, 8 * DAY),
        begins="work",
        endpoints=BUSY,
        small_endpoints=CHEAP,
    ),
    Kind(
        name="slow_tenant_growth",
        detected="slow drift",
        meant=("slow_spend_drift",),
        rules=(*EXTRA_COST, *REQUESTS),
        size=(0.04, 0.06),
        size_is="growth of the tenant's requests per day, beyond its own",
        why="A customer automates more every day: it doubles in a fortnight without one striking day.",
        hours=(16 * DAY, 20 * DAY),
        begins="day",
        ranks=(1, 10),
    ),
    Kind(
        name="test_traffic_as_production",
        detected="hourly",
        meant=("hourly_spend_spike", "request_volume_spike"),
        rules=(*EXTRA_COST, *REQUESTS),
        size=(20, 80),
        size_is="dollars of the load test",
        why="A load test of some hours whose calls say prod and real, by one synthetic user of a test tenant.",
        hours=(2, 4),
        begins="work",
        endpoints=("chat.assist", "document.summary", "support.reply"),
        small_size=(0.8, 2.5),
        is_burst=True,
    ),
    Kind(
        name="budget_exceeded",
        detected="daily",
        meant=("budget_exceeded",),
        rules=BUDGET,
        why="A budget that usual traffic passes in the second or third week of the month, because nobody raised it.",
        begins="month",
        ranks=(1, 6),
    ),
    Kind(
        name="price_change",
        detected="daily",
        meant=("cost_per_token_spike",),
        rules=(*EXTRA_COST, "cost_per_token_spike"),
        size=(1.2, 1.5),
        size_is="times the former price",
        why="An agreed price ends, or the provider raises it: a fifth to a half more for the same tokens, for good.",
        hours=(DAY, DAY),
        begins="day",
    ),
    Kind(
        name="unprofitable_tenant",
        detected="daily",
        meant=("negative_margin",),
        rules=("negative_margin",),
        size=(0.5, 0.8),
        size_is="revenue as a share of the month's cost",
        why="A customer moves to a plan that does not cover what it uses.",
        begins="month",
        ranks=(3, 20),
    ),
)
BY_NAME = {kind.name: kind for kind in KINDS}

BENIGN_RULES = {"source_outage": ("data_stale",)}
"""What may be said about an event that is no incident. About all others nothing."""
