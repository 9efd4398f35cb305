"""Draws the calls of one plan, and adds up what each incident costs by the generator's own prices."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from math import exp, sqrt
from random import Random

from llm_spend.demo.simulator import company
from llm_spend.demo.simulator.company import BY_TAG, DAYS, LOAD_TEST_TENANT, SERVICES, START, TENANTS, UNPRICED, Service
from llm_spend.demo.simulator.plan import BEGINNINGS, RAMP_DAYS, Planned, closing_days
from llm_spend.demo.simulator.shapes import shape
from llm_spend.demo.traffic import Behaviour, Choice, Event, estimated_cost, user_ids
from llm_spend.demo.world import (
    HOUR_WEIGHTS,
    NIGHT_WEIGHTS,
    OPUS,
    WEEKDAY_WEIGHTS,
    Failure,
    Model,
    PromptVersion,
)

SECOND = 1_000_000
HOUR = 3600 * SECOND
END = DAYS * 24 * HOUR
MAX_ATTEMPTS = 8
STORM_GIVE_UP_RATE = 0.03
STORM_FAILURES = (
    Failure("error", "invalid_json_output", "whole", 0.8),
    Failure("timeout", "request_timeout", "input", 0.2),
)
LOOP_INPUT = (0.4, 1.6)
"""The variable input of a run that goes in circles grows from the one to the other, relative to its mean."""
FEWEST_RUN_CALLS = 8
UNATTRIBUTED = "(unattributed)"
DIMENSIONS = {
    "endpoint": "endpoint_tag",
    "tenant": "tenant_id",
    "model": "model",
    "agent": "agent_id",
    "user": "user_id",
    "workflow": "workflow_id",
    "run": "run_id",
}

Call = tuple[int, Event]
"""When it started, in microseconds since START, and the event."""


@dataclass(frozen=True)
class Draws:
    """What chance says about the sizes of a request; its retries have the same."""

    input: float
    output: float
    cache: float


@dataclass(frozen=True)
class Regime:
    """An endpoint in one hour as it is, and as it would be without each of the incidents on it."""

    behaviour: Behaviour
    without: tuple[tuple[Planned, Service], ...]

    @property
    def service(self) -> Service:
        return self.behaviour.endpoint

    def incident(self, kind: str) -> Planned | None:
        return next((event for event, _ in self.without if event.kind == kind), None)


class Ledger:
    """Dollars and requests of the calls in scope, as budgets, revenue and labels need them."""

    def __init__(self) -> None:
        self.extra_by_hour: Counter[tuple[str, datetime]] = Counter()
        self.extra_by_entity: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        self.spent: Counter[tuple[str, str, datetime]] = Counter()
        """By entity type, entity and hour."""
        self.usual_spent: Counter[tuple[str, datetime]] = Counter()
        """By tenant and hour, without what incidents added."""
        self.version_requests: Counter[tuple[str, str, datetime]] = Counter()
        """By endpoint, version and day."""

    def add_extra(self, event: Planned, call: Event, hour: datetime, dollars: float) -> None:
        self.extra_by_hour[event.label_id, hour] += dollars
        shares = self.extra_by_entity[event.label_id]
        for entity_type, column in DIMENSIONS.items():
            shares[entity_type, call.get(column) or UNATTRIBUTED] += dollars
        shares["prompt_version", f"{call['endpoint_tag'] or UNATTRIBUTED} {call['prompt_version']}"] += dollars

    def add_spent(self, call: Event, hour: datetime, cost: float, usual: float) -> None:
        self.spent["total", "total", hour] += cost
        self.spent["tenant", call["tenant_id"], hour] += cost
        if call["agent_id"]:
            self.spent["agent", call["agent_id"], hour] += cost
        self.usual_spent[call["tenant_id"], hour] += usual


class Traffic:
    """The world of one seed: `calls` draws its log and fills `ledger`."""

    def __init__(self, seed: int, planned: Sequence[Planned]) -> None:
        self.rng = rng = Random(f"traffic {seed}")
        self.seed, self.planned = seed, planned
        self.incidents = [event for event in planned if not event.is_benign]
        self.outages = [event for event in planned if event.kind == "source_outage"]
        self.ledger = Ledger()
        self.requests = self.runs = 0
        self.is_american = {tenant: rng.random() < company.AMERICAN_SHARE for tenant in TENANTS}
        self.growth = {tenant: rng.uniform(*company.DAILY_GROWTH) for tenant in TENANTS}
        weights = [rank**-company.TENANT_EXPONENT for rank in range(1, len(TENANTS) + 1)]
        self.sizes = {tenant: weight / sum(weights) for tenant, weight in zip(TENANTS, weights, strict=True)}
        self.noise = {tenant: list(self._noise(weight)) for tenant, weight in zip(TENANTS, weights, strict=True)}
        self.shares = {service.tag: self._shares() for service in SERVICES}
        self.users = {tenant: self._users(tenant) for tenant in (*TENANTS, company.STAGING_TENANT)}
        self.releases = {service.tag: self._releases(service.tag) for service in SERVICES}
        self.regimes: dict[tuple[object, ...], Regime] = {}
        self.regime_by_hour: dict[tuple[str, int], Regime] = {}

    def _noise(self, weight: float) -> Iterator[float]:
        """A tenant's level day by day, steadier for a large one; half of a day's deviation lasts to the next."""
        small, large = company.SMALL_TENANT_NOISE, company.LARGE_TENANT_NOISE
        spread = small - (small - large) * sqrt(weight)
        level = 0.0
        for _ in range(DAYS):
            level = 0.5 * level + sqrt(0.75) * spread * self.rng.gauss(0.0, 1.0)
            yield exp(level - spread * spread / 2)

    def _shares(self) -> dict[str, float]:
        """How an endpoint's requests are shared among the tenants, each with a taste of its own."""
        weights = {
            tenant: size * exp(company.TASTE_SPREAD * self.rng.gauss(0.0, 1.0)) for tenant, size in self.sizes.items()
        }
        total = sum(weights.values())
        return {tenant: weight / total for tenant, weight in weights.items()}

    def _users(self, tenant: str) -> Choice:
        people = user_ids(tenant, self.sizes.get(tenant, 0.02), company.REQUESTS_PER_DAY * DAYS)
        return Choice(people, [1 / rank for rank in range(1, len(people) + 1)])

    def _releases(self, tag: str) -> list[tuple[datetime, str, str]]:
        """When each prompt version goes live, its name and why. A bad one is taken back by a newer one."""
        moments = [(START, "first")]
        for event in self.planned:
            if event.endpoint == tag and event.kind in ("neutral_release", "planned_migration"):
                moments.append((event.starts_at, event.kind))
            elif event.endpoint == tag and event.kind in ("prompt_regression", "prompt_output_regression"):
                moments += [(event.starts_at, event.kind), (event.ends_at, "rollback")]
        first = self.rng.randint(2, 7)
        family = tag.partition(".")[2]
        return [(moment, f"{family}_v{first + nth}", why) for nth, (moment, why) in enumerate(sorted(moments))]

    def calls(self) -> list[Call]:
        """Every logged call, in the order of the log."""
        drawn: list[Call] = []
        for day in range(DAYS):
            for service in SERVICES:
                drawn += self._day(service, day)
        for event in self.incidents:
            drawn += self._burst(event)
        drawn.sort(key=lambda call: call[0])
        return list(self._logged(drawn))

    def _logged(self, drawn: Iterable[Call]) -> Iterator[Call]:
        """Calls with their ids. Those of an outage come at the end of the log, or never."""
        late: list[Call] = []
        for number, (started, call) in enumerate(drawn, start=1):
            call["event_id"] = f"sim-{number:06d}"
            call["started_at"] = time_text(started)
            outage = self._outage(started)
            if outage is None:
                yield started, call
            elif outage.size:
                late.append((started, call))
        yield from late

    def _outage(self, started: int) -> Planned | None:
        return next((event for event in self.outages if event.covers(moment_of(started))), None)

    def level(self, service: Service, tenant: str, day: int) -> float:
        """Expected requests of a tenant on an endpoint in a day, incidents left out."""
        date = START + timedelta(days=day)
        level = company.REQUESTS_PER_DAY * service.request_share * self.shares[service.tag][tenant]
        level *= WEEKDAY_WEIGHTS[date.weekday()] if date.weekday() < 5 else service.weekend
        level *= exp(self.growth[tenant] * (day - DAYS / 2)) * self.noise[tenant][day]
        if date.date() in company.HOLIDAYS[self.is_american[tenant]]:
            level *= company.HOLIDAY_LEVEL
        if date in closing_days(last_day_of_month(date)):
            level *= service.month_end
        for event in self.planned:
            if event.kind == "marketing_day" and event.covers(date):
                level *= event.size
            elif event.kind in BEGINNINGS and (event.tenant or event.endpoint) in (tenant, service.tag):
                level *= ramp(event, day)
        return level

    def _day(self, service: Service, day: int) -> Iterator[Call]:
        """A day of an endpoint: every tenant's requests, in the hours in which its people work."""
        rng = self.rng
        weights = NIGHT_WEIGHTS if service.at_night else HOUR_WEIGHTS
        bursts = [weight * shape(service.trace, "rate").draw(rng) for weight in weights]
        shift = 0 if service.at_night else company.AMERICAN_SHIFT_HOURS
        hours = {
            is_american: Choice(range(24), [bursts[hour - shift * is_american] for hour in range(24)])
            for is_american in (False, True)
        }
        spike = next((event for event in self.incidents if event.kind == "endpoint_spike"), None)
        for tenant in TENANTS:
            level = self.level(service, tenant, day)
            growing, factor = self._growing(tenant, day)
            for _ in range(poisson(rng, level * factor)):
                hour = day * 24 + hours[self.is_american[tenant]].draw(rng)
                yield from self.request(service, tenant, hour, growing if rng.random() * factor > 1 else None)
            if (
                spike
                and spike.endpoint == service.tag
                and spike.starts_at.date() <= day_of(day) <= spike.ends_at.date()
            ):
                for _ in range(poisson(rng, level * (spike.size - 1))):
                    hour = day * 24 + hours[self.is_american[tenant]].draw(rng)
                    if spike.covers(START + timedelta(hours=hour)):
                        yield from self.request(service, tenant, hour, spike)

    def _growing(self, tenant: str, day: int) -> tuple[Planned | None, float]:
        """The incident that multiplies a tenant's requests on that day, and by how much."""
        for event in self.incidents:
            if event.tenant == tenant and event.covers(START + timedelta(days=day)):
                if event.kind == "tenant_concentration":
                    return event, event.size
                if event.kind == "slow_tenant_growth":
                    return event, (1 + event.size) ** (days_since(event, day) + 1)
        return None, 1.0

    def _burst(self, event: Planned) -> Iterator[Call]:
        """The calls that there are only because of the incident."""
        rng = self.rng
        first_hour, hours = hour_number(event.starts_at), (event.ends_at - event.starts_at) // timedelta(hours=1)
        if event.kind in ("runaway_loop", "expensive_workflow_run"):
            yield from self._run(event, first_hour, hours)
        elif event.kind in ("request_volume_spike", "test_traffic_as_production"):
            is_test = event.kind == "test_traffic_as_production"
            tenant = LOAD_TEST_TENANT if is_test else event.tenant
            user = "loadtest-user-1" if is_test else self.users[tenant].options[0]
            requests = event.size / self.usual_cost(BY_TAG[event.endpoint])
            for nth in range(max(round(requests), 1)):
                hour = first_hour + int(hours * (nth + rng.random()) / (requests + 1))
                yield from self.request(BY_TAG[event.endpoint], tenant, hour, event, user)
        elif event.kind == "user_abuse":
            service, user = BY_TAG[event.endpoint], self.users[event.tenant].options[-1]
            for day in range(first_hour // 24, (first_hour + hours) // 24):
                spend = sum(self.level(other, event.tenant, day) * self.usual_cost(other) for other in SERVICES)
                for _ in range(poisson(rng, event.size * spend / self.usual_cost(service))):
                    yield from self.request(service, event.tenant, day * 24 + rng.randint(6, 21), event, user)

    def usual_cost(self, service: Service) -> float:
        """Expected dollars of a request, of a run where the endpoint has a workflow, without retries."""
        steps = sum(map(len, service.steps)) / len(service.steps)
        misses, hits = (
            estimated_cost(service.model, tokens(service, service.model, Draws(1.0, 1.0, cache)))
            for cache in (1.0, 0.0)
        )
        return steps * (service.hit_rate * hits + (1 - service.hit_rate) * misses)

    def _run(self, event: Planned, first_hour: int, hours: int) -> Iterator[Call]:
        """One run of many calls: a loop whose context grows, or a task of unusual size."""
        rng, service = self.rng, BY_TAG[event.endpoint]
        steps = sum(map(len, service.steps)) / len(service.steps)
        count = max(FEWEST_RUN_CALLS, round(event.size / (self.usual_cost(service) / steps)))
        names = [name for name in service.steps[0] if name] or [None]
        regime = self.regime(service, first_hour)
        model = regime.behaviour.models.draw(rng)
        common = self._common(regime, model, event.tenant, self.users[event.tenant].options[0])
        common["run_id"] = f"run-{event.label_id}"
        for nth in range(count):
            started = first_hour * HOUR + int((nth + rng.random()) * hours * HOUR / count)
            draws = self._draws(service)
            if event.kind == "runaway_loop":
                low, high = LOOP_INPUT
                draws = replace(draws, input=low + (high - low) * nth / count)
            common["call_name"] = names[-2 if event.kind == "runaway_loop" and len(names) > 1 else nth % len(names)]
            call = common | {"attempt_number": 1, "status": "success"} | tokens(regime.service, model, draws)
            call["latency_ms"] = self._latency(call)
            self._count(regime, model, [(started, call)], draws, event)
            yield started, call

    def regime(self, service: Service, hour: int) -> Regime:
        """The endpoint as its releases and incidents make it in that hour."""
        if (service.tag, hour) not in self.regime_by_hour:
            self.regime_by_hour[service.tag, hour] = self._regime(service, START + timedelta(hours=hour))
        return self.regime_by_hour[service.tag, hour]

    def _regime(self, service: Service, moment: datetime) -> Regime:
        releases = [(name, why) for began, name, why in self.releases[service.tag] if began <= moment]
        active = [
            event
            for event in self.incidents
            if event.covers(moment) and (event.endpoint == service.tag or event.kind == "price_change")
        ]
        day = (moment - START).days
        key = (service.tag, len(releases), *active, day if any(e.kind == "context_growth" for e in active) else None)
        if key not in self.regimes:
            base = replace(service, versions=(PromptVersion(releases[-1][0]),))
            if service.next_model and any(why == "planned_migration" for _, why in releases):
                model = service.next_model
                base = replace(base, models=((model, 1.0),), requested_model=model.name)
            others = [(event, [other for other in active if other is not event]) for event in active]
            self.regimes[key] = Regime(
                Behaviour(changed(base, active, day)),
                tuple((event, changed(base, without, day)) for event, without in others),
            )
        return self.regimes[key]

    def request(
        self, service: Service, tenant: str, hour: int, extra_of: Planned | None = None, user: str | None = None
    ) -> Iterator[Call]:
        """One request, or one run of a workflow: its calls with their retries."""
        rng, regime = self.rng, self.regime(service, hour)
        started = hour * HOUR + int(rng.random() * HOUR)
        model = regime.behaviour.models.draw(rng)
        common = self._common(regime, model, tenant, user or self.users[tenant].draw(rng))
        if not extra_of and rng.random() < company.OUT_OF_SCOPE_SHARE:
            common["tenant_id"] = company.STAGING_TENANT
            common["user_id"] = self.users[company.STAGING_TENANT].draw(rng)
            common |= {"environment": "staging", "data_mode": "test"}
        for call_name in service.steps[0] if len(service.steps) == 1 else rng.choice(service.steps):
            common["call_name"] = call_name
            draws = self._draws(service)
            calls = list(self._attempts(regime, model, common, started, draws))
            self._count(regime, model, calls, draws, extra_of)
            yield from calls
            last_started, last = calls[-1]
            started = last_started + (last["latency_ms"] + 500) * 1000
            if last["status"] != "success" or started >= END:
                return

    def _common(self, regime: Regime, model: Model, tenant: str, user: str) -> Event:
        """What all calls of one request have in common."""
        self.requests += 1
        common = regime.behaviour.calling(model, regime.service.versions[0].name, tenant, f"req-{self.requests:06d}")
        common |= {"user_id": user, "user_type": "human"}
        if common["workflow_id"]:
            self.runs += 1
            common["run_id"] = f"run-{self.runs:05d}"
        if regime.incident("untagged_traffic"):
            common["endpoint_tag"] = None
        return common

    def _draws(self, service: Service) -> Draws:
        rng = self.rng
        return Draws(shape(service.trace, "input").draw(rng), shape(service.trace, "output").draw(rng), rng.random())

    def _attempts(self, regime: Regime, model: Model, common: Event, started: int, draws: Draws) -> Iterator[Call]:
        """A call and its retries; each is billed whole, for its input, or not at all."""
        rng, service = self.rng, regime.service
        for attempt in range(1, MAX_ATTEMPTS + 1):
            call = common | {"attempt_number": attempt, "status": "success"}
            failure = regime.behaviour.failures.draw(rng) if rng.random() < service.failure_rate else None
            if failure:
                call |= {"status": failure.status, "error_code": failure.error_code}
            if not failure or failure.billed != "nothing":
                call |= tokens(service, model, draws, input_only=bool(failure and failure.billed == "input"))
            call["latency_ms"] = self._latency(call)
            yield started, call
            if not failure or rng.random() < service.give_up_rate:
                return
            started = min(started + call["latency_ms"] * 1000 + min(2**attempt, 8) * SECOND, END - 1)

    def _latency(self, call: Event) -> int:
        work = call.get("input_tokens", 0) / 40 + call.get("output_tokens", 0) * 6
        return 300 + int((0.6 + self.rng.random()) * work)

    def _count(
        self, regime: Regime, model: Model, calls: Sequence[Call], draws: Draws, extra_of: Planned | None
    ) -> None:
        """Enter the attempts of one request that reach the log, and what each incident added to them."""
        storm, untagged = regime.incident("retry_storm"), regime.incident("untagged_traffic")
        once_billed = estimated_cost(model, tokens(regime.service, model, draws))
        billed = 0.0
        for started, call in calls:
            if call["environment"] != "prod":
                return
            hour = moment_of(started).replace(minute=0, second=0, microsecond=0)
            cost = estimated_cost(model, call)
            extra = []
            if extra_of:
                extra.append((extra_of, cost))
            if untagged:
                extra.append((untagged, cost))
            if storm:
                extra.append((storm, max(min(cost, billed + cost - once_billed), 0.0)))
            if "input_tokens" in call:
                for event, service in regime.without:
                    usual_model = model_without(service, model)
                    usual = tokens(service, usual_model, draws, input_only=not call["output_tokens"])
                    # A model without a price hides its cost, which is the harm it does.
                    extra.append((event, abs(cost - estimated_cost(usual_model, usual))))
            billed += cost
            outage = self._outage(started)
            if outage and not outage.size:
                continue
            for event, dollars in extra:
                if dollars:
                    self.ledger.add_extra(event, call, hour, dollars)
            self.ledger.add_spent(call, hour, cost, max(cost - sum(dollars for _, dollars in extra), 0.0))
            if call["attempt_number"] == 1:
                day = hour.replace(hour=0)
                self.ledger.version_requests[call["endpoint_tag"] or UNATTRIBUTED, call["prompt_version"], day] += 1


def changed(service: Service, events: Iterable[Planned], day: int) -> Service:
    """The endpoint with these incidents on it."""
    for event in events:
        if event.kind == "prompt_regression":
            service = replace(service, added_input=service.added_input + event.size)
        elif event.kind == "context_growth":
            growth = (1 + event.size) ** (days_since(event, day) + 1) - 1
            service = replace(service, added_input=service.added_input + growth)
        elif event.kind == "prompt_output_regression":
            service = replace(service, output_tokens=round(service.output_tokens * event.size))
        elif event.kind == "cache_loss":
            service = replace(service, hit_rate=0.0)
        elif event.kind == "retry_storm":
            service = replace(
                service, failure_rate=event.size, give_up_rate=STORM_GIVE_UP_RATE, failures=STORM_FAILURES
            )
        elif event.kind == "silent_model_switch":
            service = replace(service, models=((service.dearer_model, event.size), (service.model, 1 - event.size)))
        elif event.kind == "unpriced_model":
            service = replace(service, models=((UNPRICED, event.size), (service.model, 1 - event.size)))
    for event in events:
        if event.kind == "price_change":
            models = [(repriced(model, event.size) if model.name == event.model else model, share)
                      for model, share in service.models]  # fmt: skip
            service = replace(service, models=tuple(models))
    return service


@lru_cache
def repriced(model: Model, factor: float) -> Model:
    return replace(
        model,
        input_price=model.input_price * factor,
        cached_price=model.cached_price * factor,
        cache_write_price=model.cache_write_price * factor,
        output_price=model.output_price * factor,
    )


def model_without(service: Service, model: Model) -> Model:
    """The model that would have answered on this endpoint: the same one if it has it, at its price there."""
    return next((other for other, _ in service.models if other.name == model.name), service.model)


def tokens(service: Service, model: Model, draws: Draws, input_only: bool = False) -> Event:
    """What a billed call uses. Opus caches for an hour, the other model that bills writes for five minutes."""
    variable = service.fixed_share + (1 - service.fixed_share) * draws.input
    input_tokens = min(int(service.input_tokens * (variable + service.added_input)), company.MOST_INPUT_TOKENS)
    output_tokens = 0 if input_only else max(int(service.output_tokens * draws.output), 1)
    used: Event = {
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "total_tokens": input_tokens + output_tokens,
    }
    if service.cached_share and (model.cached_price or model is UNPRICED):
        prefix = int(service.input_tokens * service.cached_share)
        is_hit = draws.cache < service.hit_rate
        used["cached_input_tokens"] = prefix if is_hit else 0
        if model.cache_write_price:
            used["cache_write_tokens"] = written = 0 if is_hit else prefix
            used["cache_write_1h_tokens"] = written if model.name == OPUS.name else 0
    return used


def poisson(rng: Random, mean: float) -> int:
    """A count of independent arrivals."""
    if mean > 50:
        return max(round(rng.gauss(mean, sqrt(mean))), 0)
    limit, product, count = exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def ramp(event: Planned, day: int) -> float:
    """The share of its later level that a launch or a new customer has on that day."""
    return min(max((days_since(event, day) + 1) / RAMP_DAYS, 0.0), 1.0)


def days_since(event: Planned, day: int) -> int:
    return day - (event.starts_at - START).days


def day_of(day: int) -> object:
    return (START + timedelta(days=day)).date()


def hour_number(moment: datetime) -> int:
    return (moment - START) // timedelta(hours=1)


def moment_of(started: int) -> datetime:
    return START + timedelta(microseconds=started)


@lru_cache
def last_day_of_month(date: datetime) -> datetime:
    return (date.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def time_text(started: int) -> str:
    """UTC text of a moment, such as 2026-07-01 09:30:12.250000."""
    return moment_of(started).isoformat(" ", "microseconds")
