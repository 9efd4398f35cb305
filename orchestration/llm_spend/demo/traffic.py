"""Draws the demo company's usage events, hour by hour."""

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import md5
from itertools import accumulate
from math import exp
from random import Random
from typing import Any

from llm_spend.demo import incidents, labels, world
from llm_spend.demo.bills import Bills
from llm_spend.demo.world import DEMO_START, Endpoint, Failure, Model

Event = dict[str, Any]

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
LANDING_DELAY = 300 * SECOND
MAX_ATTEMPTS = 12
REDELIVERED_SHARE = 0.006
STRAGGLER_SHARE = 0.004
LAST_ANSWER_USD = 0.1
"""When the day of the backlog lacks no more than this, its last answer grows by it."""


@lru_cache(maxsize=10_000)
def _minute_text(minutes: int) -> str:
    return (DEMO_START + timedelta(minutes=minutes)).isoformat(" ", "minutes")


def time_text(micros: int) -> str:
    """UTC text of a moment given in microseconds since DEMO_START."""
    seconds, fraction = divmod(micros, SECOND)
    minutes, second = divmod(seconds, 60)
    return f"{_minute_text(minutes)}:{second:02d}.{fraction:06d}"


def landed_at(started: int) -> int:
    """When a call's row lands, in microseconds as its start: by the minute."""
    return started - started % (60 * SECOND) + LANDING_DELAY


def hourly_shares(days: int, at_night: bool) -> list[float]:
    """The share of an endpoint's requests that falls in each hour of the period; they sum to 1."""
    hours = world.NIGHT_WEIGHTS if at_night else world.HOUR_WEIGHTS
    weights = [
        weight * world.WEEKDAY_WEIGHTS[day % 7] * world.WEEKLY_GROWTH ** (day / 7)
        for day in range(days)
        for weight in hours
    ]
    total = sum(weights)
    return [weight / total for weight in weights]


def tenant_shares(events: int) -> dict[str, float]:
    """The dozen named tenants, and in larger worlds a long tail that takes a fifth of the traffic."""
    tail = {f"tenant-{rank:04d}": 1 / rank for rank in range(1, events // 20_000 + 1)}
    total = sum(tail.values())
    return world.TENANT_SHARES | {tenant: 0.25 * weight / total for tenant, weight in tail.items()}


def user_ids(tenant: str, share: float, events: int) -> list[str]:
    """A tenant's people under hashed ids; their number grows with the square root of its traffic."""
    people = 3 + int((share * events) ** 0.5 / 3)
    return [f"u_{md5(f'{tenant}/{n}'.encode(), usedforsecurity=False).hexdigest()[:12]}" for n in range(people)]


def estimated_cost(model: Model, event: Event) -> float:
    """USD by the client's own price list, which knows no context tiers, batches or time."""
    cached, written = event.get("cached_input_tokens", 0), event.get("cache_write_tokens", 0)
    return (
        (event.get("input_tokens", 0) - cached - written) * model.input_price
        + cached * model.cached_price
        + written * model.cache_write_price
        + event.get("output_tokens", 0) * model.output_price
    ) / 1e6


def use_tokens(rng: Random, endpoint: Endpoint, model: Model, size: float, input_tokens: int, event: Event) -> None:
    """Fills what a billed call used, its latency, and what its client believes it cost."""
    output_tokens = int(endpoint.output_tokens * size * exp(endpoint.spread * rng.gauss(0.0, 1.0)))
    event["input_tokens"] = input_tokens
    event["output_tokens"] = output_tokens
    event["total_tokens"] = input_tokens + output_tokens
    if endpoint.cached_share and model.cached_price:
        prefix = int(input_tokens * endpoint.cached_share * (0.9 + 0.2 * rng.random()))
        is_hit = rng.random() < endpoint.hit_rate
        event["cached_input_tokens"] = prefix if is_hit else 0
        if endpoint.cache_write_ttl and model.cache_write_price:
            event["cache_write_tokens"] = written = 0 if is_hit else prefix
            event["cache_write_1h_tokens"] = written if endpoint.cache_write_ttl == "1h" else 0
    if endpoint.reasoning_share:
        event["reasoning_tokens"] = int(output_tokens * endpoint.reasoning_share * (0.8 + 0.4 * rng.random()))
    event["latency_ms"] = 300 + int((0.6 + rng.random()) * (input_tokens / 40 + output_tokens * 6))
    if endpoint.reports_cost:
        event["reported_cost_usd"] = f"{estimated_cost(model, event) * (0.99 + 0.02 * rng.random()):.6f}"


class Choice:
    """Draws one of the options by weight."""

    def __init__(self, options: Sequence, weights: Sequence[float]) -> None:
        self.options = options
        self.cumulative = list(accumulate(weights))

    def draw(self, rng: Random) -> Any:
        if len(self.options) == 1:
            return self.options[0]
        return self.options[bisect(self.cumulative, rng.random() * self.cumulative[-1])]


class Behaviour:
    """An endpoint during one hour, with its choices ready to draw from."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.models = Choice([model for model, _ in endpoint.models], [share for _, share in endpoint.models])
        self.versions = Choice(endpoint.versions, [version.share for version in endpoint.versions])
        self.failures = Choice(endpoint.failures, [failure.weight for failure in endpoint.failures])
        self.common: Event = {
            "requested_model": endpoint.requested_model,
            "service_tier": endpoint.service_tier,
            "endpoint_tag": endpoint.tag,
            "feature_name": endpoint.feature_name,
            "agent_id": endpoint.agent_id,
            "workflow_id": endpoint.workflow_id,
            "cost_group": endpoint.cost_group,
            "team": endpoint.team,
            "project_id": endpoint.project_id,
            "api_key_id": endpoint.api_key_id,
            "environment": "prod",
            "data_mode": "real",
        }

    def calling(self, model: Model, version: str, tenant: str, request_id: str) -> Event:
        """What all attempts of one request have in common, but for the caller."""
        return self.common | {
            "provider": model.provider,
            "model": model.name,
            "external_request_id": request_id,
            "prompt_version": version,
            "tenant_id": tenant,
        }


class UsageLog:
    """The rows of one log; while they are drawn, `sizes` counts what is planted by (incident_id, measure), and `bills`
    what the providers charge.
    """

    def __init__(self, rng: Random, days: int, events: int) -> None:
        self.rng = rng
        self.days = days
        self.events = events
        self.scale = events / world.DEFAULT_EVENTS
        self.as_of = days * DAY
        self.as_of_text = time_text(self.as_of)
        self.sizes: Counter[tuple[str, str]] = Counter()
        self.bills = Bills(days)
        self.event_number = 0
        self.request_number = 0
        self.run_number = 0
        # Its own draws leave all others as they are.
        self.backlog_rng = Random(incidents.BACKLOG_DAY.incident_id)
        self.endpoints = {endpoint.tag: endpoint for endpoint in world.ENDPOINTS}
        shares = tenant_shares(events)
        self.tenants = {}
        for endpoint in world.ENDPOINTS:
            boosts = dict(endpoint.tenant_boosts)
            self.tenants[endpoint.tag] = Choice(
                list(shares), [share * boosts.get(tenant, 1.0) for tenant, share in shares.items()]
            )
        self.users = {}
        for tenant, share in {**shares, world.STAGING_TENANT: 0.02}.items():
            people = user_ids(tenant, share, events)
            self.users[tenant] = Choice(people, [1 / rank for rank in range(1, len(people) + 1)])

    def rows(self) -> Iterator[Event]:
        """Every delivered row, in the order of the calls within each hour; the backlog's come at its end."""
        requests = self.events / world.ROWS_PER_REQUEST
        shares = {at_night: hourly_shares(self.days, at_night) for at_night in (False, True)}
        for hour in range(self.days * 24):
            opens_at = DEMO_START + timedelta(hours=hour)
            drawn: list[tuple[int, Event]] = []
            for endpoint in world.ENDPOINTS:
                expected = requests * endpoint.request_share * shares[endpoint.at_night][hour]
                behaviour = Behaviour(incidents.endpoint_at(endpoint, opens_at))
                for _ in range(int(expected + self.rng.random())):
                    started = hour * HOUR + int(self.rng.random() * HOUR)
                    drawn += self.request(behaviour, self.tenants[endpoint.tag], opens_at, started)
            if incidents.RUNAWAY_LOOP.covers(opens_at):
                drawn += self.runaway_calls(hour)
            if incidents.TEST_AS_PRODUCTION.covers(opens_at):
                drawn += self.load_test_calls(hour)
            drawn.sort(key=lambda call: call[0])
            for started, event in drawn:
                self.bills.add(event)
                yield from self.deliveries(event, started, opens_at)
            if incidents.BACKLOG_DAY.covers(opens_at):
                for event in self.backlog_calls(hour, opens_at):
                    self.bills.add(event)
                    yield event
            for nth, changes in enumerate(labels.QUARANTINED_ROWS.values()):
                if hour == (nth + 1) * self.days * 24 // (len(labels.QUARANTINED_ROWS) + 1):
                    yield self.quarantined(hour * HOUR, changes)

    def request(
        self, behaviour: Behaviour, tenants: Choice, opens_at: datetime, started: int
    ) -> list[tuple[int, Event]]:
        """The calls of one request, with retries and workflow steps, and their starts in microseconds."""
        rng, endpoint = self.rng, behaviour.endpoint
        model, version = behaviour.models.draw(rng), behaviour.versions.draw(rng)
        common = behaviour.calling(model, version.name, tenants.draw(rng), self.new_request_id())
        if endpoint.workflow_id:
            self.run_number += 1
            common["run_id"] = f"run-{self.run_number:06d}"
        self.name_user(endpoint, common)
        in_scope = self.name_environment(common)
        merge = incidents.TENANT_MERGE
        if common["tenant_id"] == merge.entity_id and merge.covers(opens_at) and rng.random() < 0.4:
            common["tenant_id"] = incidents.MERGED_TENANT
        makes_new_ids = (
            endpoint.tag == "document.analysis"
            and common["tenant_id"] == incidents.NEW_ID_PER_RETRY.entity_id
            and incidents.NEW_ID_PER_RETRY.covers(opens_at)
        )
        calls: list[tuple[int, Event]] = []
        for call_name in endpoint.steps[0] if len(endpoint.steps) == 1 else rng.choice(endpoint.steps):
            if call_name:
                common["call_name"] = call_name
            calls += self.attempts(behaviour, model, version.size, common, started, makes_new_ids)
            last_started, last = calls[-1]
            if last["status"] != "success":
                break
            started = last_started + last["latency_ms"] * 1000 + int((0.2 + rng.random()) * SECOND)
        else:
            if endpoint.task_success_rate is not None:
                succeeded = rng.random() < endpoint.task_success_rate
                last["task_succeeded"] = "true" if succeeded else "false"
        if in_scope:
            self.count(model, calls, opens_at)
        return calls

    def new_request_id(self) -> str:
        self.request_number += 1
        return f"req-{self.request_number:06d}"

    def new_event(self, common: Event, started: int) -> Event:
        self.event_number += 1
        return common | {"event_id": f"evt-{self.event_number:07d}", "started_at": time_text(started)}

    def name_user(self, endpoint: Endpoint, common: Event) -> None:
        """Says for whom the call is: a service account, a visitor without a name or one of the people."""
        draw = self.rng.random()
        if draw < endpoint.service_share:
            common["user_id"] = endpoint.service_user
            if endpoint.at_night:
                common["user_type"] = "service"
        elif draw > 1 - endpoint.anonymous_share:
            common["user_type"] = "anonymous"
            if self.rng.random() < 0.5:
                common["user_id"] = f"anon_{int(self.rng.random() * 300):03d}"
        else:
            common["user_id"] = self.users[common["tenant_id"]].draw(self.rng)
            common["user_type"] = "human"

    def name_environment(self, common: Event) -> bool:
        """Moves a few calls to staging, dev or marked tests; true when the call stays in scope."""
        draw = self.rng.random()
        if draw >= 0.055:
            return True
        common["tenant_id"] = world.STAGING_TENANT
        common["user_id"] = self.users[world.STAGING_TENANT].draw(self.rng)
        common["user_type"] = "human"
        if draw < 0.03:
            common |= {"environment": "staging", "data_mode": "test", "api_key_id": "key_staging"}
        elif draw < 0.045:
            common |= {"environment": "dev", "api_key_id": "key_dev"}
        else:
            common |= {"data_mode": "test", "user_id": "svc-smoke-test", "user_type": "service"}
        return False

    def attempts(
        self,
        behaviour: Behaviour,
        model: Model,
        size: float,
        common: Event,
        started: int,
        makes_new_ids: bool,
    ) -> list[tuple[int, Event]]:
        """One call and its retries: the prompt stays the same, so each attempt has the same input."""
        rng, endpoint = self.rng, behaviour.endpoint
        input_tokens = min(
            int(endpoint.input_tokens * size * exp(endpoint.spread * rng.gauss(0.0, 1.0))),
            model.context_window,
        )
        failure_rate = incidents.NEW_ID_FAILURE_RATE if makes_new_ids else endpoint.failure_rate
        made: list[tuple[int, Event]] = []
        while True:
            event = self.new_event(common, started)
            if not makes_new_ids:
                event["attempt_number"] = len(made) + 1
            elif made:
                event["external_request_id"] = self.new_request_id()
                self.sizes[incidents.NEW_ID_PER_RETRY.incident_id, "attempts"] += 1
            made.append((started, event))
            if len(made) == MAX_ATTEMPTS or rng.random() >= failure_rate:
                self.succeed(endpoint, model, size, input_tokens, event)
                return made
            failure = behaviour.failures.draw(rng)
            self.fail(endpoint, model, size, input_tokens, event, failure)
            if failure.status == "cancelled" or rng.random() < endpoint.give_up_rate:
                return made
            wait = (0.5 + rng.random()) * min(2 ** len(made), 8) * SECOND
            started += event["latency_ms"] * 1000 + int(wait)

    def succeed(self, endpoint: Endpoint, model: Model, size: float, input_tokens: int, event: Event) -> None:
        rng = self.rng
        event["status"] = "success"
        if endpoint.app_cache_rate is not None:
            from_cache = rng.random() < endpoint.app_cache_rate
            event["cache_hit"] = "true" if from_cache else "false"
            if from_cache:
                event["latency_ms"] = 3 + int(rng.random() * 20)
                return
        if endpoint.usage_missing_rate and rng.random() < endpoint.usage_missing_rate:
            event["latency_ms"] = 300 + int(rng.random() * 2000)
            self.sizes[incidents.USAGE_MISSING.incident_id, "attempts"] += 1
            return
        use_tokens(self.rng, endpoint, model, size, input_tokens, event)

    def fail(
        self, endpoint: Endpoint, model: Model, size: float, input_tokens: int, event: Event, failure: Failure
    ) -> None:
        event["status"] = failure.status
        event["error_code"] = failure.error_code
        if failure.billed == "whole":
            use_tokens(self.rng, endpoint, model, size, input_tokens, event)
            return
        event["latency_ms"] = 30_000 if failure.status == "timeout" else 90 + int(self.rng.random() * 600)
        if failure.billed == "input":
            event["input_tokens"] = event["total_tokens"] = input_tokens
            event["output_tokens"] = 0

    def count(self, model: Model, calls: list[tuple[int, Event]], opens_at: datetime) -> None:
        """Adds one request in scope to the sizes of the incidents that it belongs to."""
        for incident_id, prefix in incidents.plants(calls[0][1], opens_at):
            measures = Counter(requests=1, attempts=len(calls))
            for _, event in calls:
                measures["billed"] += "input_tokens" in event
                measures["hits"] += bool(event.get("cached_input_tokens"))
                measures["cached"] += event.get("cached_input_tokens", 0)
                measures["cost"] += estimated_cost(model, event)
            for measure, value in measures.items():
                self.sizes[incident_id, prefix + measure] += value

    def runaway_calls(self, hour: int) -> list[tuple[int, Event]]:
        """One hour of a run that searches in circles; its prompt carries all it has read."""
        loop, tenant = incidents.RUNAWAY_LOOP, "vantage-freight"
        endpoint = self.endpoints["research.report"]
        behaviour, model, version = Behaviour(endpoint), endpoint.models[0][0], endpoint.versions[0]
        common = behaviour.calling(model, version.name, tenant, "req-7f3a91") | {
            "call_name": "search",
            "attempt_number": 1,
            "run_id": loop.entity_id,
            "user_id": self.users[tenant].options[0],
            "user_type": "human",
            "status": "success",
        }
        hours = (loop.ends_at - loop.starts_at) // timedelta(hours=1)
        calls_per_hour = max(10, min(self.events // 50, 2000) // hours)
        calls = []
        for nth in range(calls_per_hour):
            started = hour * HOUR + int((nth + self.rng.random() * 0.5) * HOUR / calls_per_hour)
            event = self.new_event(common, started)
            done = self.sizes[loop.incident_id, "calls"]
            context = 30_000 + 150_000 * done // (calls_per_hour * hours)
            use_tokens(self.rng, endpoint, model, 0.35, context, event)
            self.sizes[loop.incident_id, "calls"] += 1
            self.sizes[loop.incident_id, "cost"] += estimated_cost(model, event)
            calls.append((started, event))
        return calls

    def load_test_calls(self, hour: int) -> list[tuple[int, Event]]:
        """One hour of a load test, all by one user and with prompts of one size."""
        test, endpoint = incidents.TEST_AS_PRODUCTION, self.endpoints["product.search"]
        behaviour, model, version = Behaviour(endpoint), endpoint.models[0][0], endpoint.versions[0]
        calls = []
        for _ in range(max(5, min(self.events // 250, 500))):
            started = hour * HOUR + int(self.rng.random() * HOUR)
            common = behaviour.calling(model, version.name, test.entity_id, self.new_request_id())
            event = self.new_event(common, started) | {
                "user_id": "loadtest-user-1",
                "user_type": "human",
                "status": "success",
                "cache_hit": "false",
            }
            use_tokens(self.rng, endpoint, model, 1.0, 20_000, event)
            self.sizes[test.incident_id, "attempts"] += 1
            calls.append((started, event))
        return calls

    def backlog_calls(self, hour: int, opens_at: datetime) -> list[Event]:
        """One hour of a queue that the agent works off at an even pace, until its day has cost its size to the cent.

        Anybody may have asked, but for the tenant that costs more than it pays: its own story stays as it is.
        """
        rng, backlog = self.backlog_rng, incidents.BACKLOG_DAY
        spent = incidents.BUDGET_NEARLY_SPENT.incident_id, "cost"
        of_the_day = incidents.SUPPORT_BOT_SPENT_USD * self.scale
        until_now = of_the_day * (opens_at.hour + 1) / 24
        endpoint = incidents.endpoint_at(self.endpoints[backlog.entity_id], opens_at)
        behaviour, model, version = Behaviour(endpoint), endpoint.models[0][0], endpoint.versions[0]
        made: list[Event] = []
        while self.sizes[spent] < min(until_now, of_the_day - LAST_ANSWER_USD):
            tenant = self.tenants[endpoint.tag].draw(rng)
            if tenant == incidents.UNPROFITABLE_TENANT.entity_id:
                continue
            number = self.sizes[backlog.incident_id, "requests"] + 1
            started = hour * HOUR + int(rng.random() * HOUR)
            event = behaviour.calling(model, version.name, tenant, f"req-backlog-{number:04d}") | {
                "event_id": f"evt-backlog-{number:04d}",
                "started_at": time_text(started),
                "_loaded_at": time_text(landed_at(started)),
                "attempt_number": 1,
                "user_id": rng.choice(self.users[tenant].options),
                "user_type": "human",
                "team": "customer-success",
                "project_id": "proj_success",
                "api_key_id": "key_success_prod",
                "status": "success",
                "task_succeeded": "true" if rng.random() < endpoint.task_success_rate else "false",
            }
            input_tokens = int(endpoint.input_tokens * exp(endpoint.spread * rng.gauss(0.0, 1.0)))
            use_tokens(rng, endpoint, model, 1.0, min(input_tokens, model.context_window), event)
            left = of_the_day - self.sizes[spent] - estimated_cost(model, event)
            if left < 0:
                continue
            if left < LAST_ANSWER_USD:
                longer = int(left * 1e6 / model.output_price)
                event["output_tokens"] += longer
                event["total_tokens"] += longer
                event["reported_cost_usd"] = f"{estimated_cost(model, event):.6f}"
            cost = estimated_cost(model, event)
            self.sizes[spent] += cost
            self.sizes[backlog.incident_id, "cost"] += cost
            self.sizes[backlog.incident_id, "requests"] += 1
            made.append(event)
        return sorted(made, key=lambda event: event["started_at"])

    def deliveries(self, event: Event, started: int, opens_at: datetime) -> Iterator[Event]:
        """The event as it landed: soon or late, sometimes twice; the last delivery is the true one."""
        rng = self.rng
        landed = landed_at(started)
        is_late = event["tenant_id"] == incidents.LATE_ROWS.entity_id and incidents.LATE_ROWS.covers(opens_at)
        if is_late:
            landed += 3 * DAY
            self.sizes[incidents.LATE_ROWS.incident_id, "rows"] += 1
        elif rng.random() < STRAGGLER_SHARE:
            landed += int((1 + 4 * rng.random()) * DAY)
        if rng.random() < REDELIVERED_SHARE and landed + DAY < self.as_of:
            first = event | {"_loaded_at": time_text(landed)}
            if rng.random() < 0.4 and event.get("output_tokens"):
                first["output_tokens"] = first["reasoning_tokens"] = 0
                first["total_tokens"] = event["input_tokens"]
                self.sizes[incidents.REDELIVERIES.incident_id, "corrected"] += 1
            yield first
            landed += int(rng.random() * DAY)
            self.sizes[incidents.REDELIVERIES.incident_id, "rows"] += 1
            self.sizes[incidents.LATE_ROWS.incident_id, "rows"] += is_late
        event["_loaded_at"] = time_text(min(landed, self.as_of))
        yield event

    def quarantined(self, started: int, changes: Event) -> Event:
        """An otherwise good row with one contradiction in it."""
        self.sizes[incidents.QUARANTINE.incident_id, "rows"] += 1
        good = {
            "provider": "openai",
            "model": "gpt-4.1",
            "endpoint_tag": "checkout.summary",
            "tenant_id": "harborline",
            "environment": "prod",
            "data_mode": "real",
            "input_tokens": 1200,
            "output_tokens": 300,
            "status": "success",
            "_loaded_at": time_text(started + LANDING_DELAY),
        }
        return self.new_event(good, started) | changes
