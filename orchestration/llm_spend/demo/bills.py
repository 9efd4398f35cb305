"""What OpenAI and Anthropic bill the demo company: the calls of its log, and differences of known size."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from llm_spend.bills.tables import ANTHROPIC_COSTS, ANTHROPIC_USAGE, OPENAI_COSTS, OPENAI_USAGE
from llm_spend.demo.world import DEMO_START, ENDPOINTS, GPT_4O, GPT_5_2, OPUS, SONNET

Row = dict[str, object]

VERSION_COLUMNS = ("_dlt_valid_from", "_dlt_valid_to")
PERIOD_COLUMNS = ("provider", "report", "usage_date", "fetched_at")
GAP_COLUMNS = ("gap_id", "provider", "cause", "starts_at", "ends_at", "expected_usd", "description")


@dataclass(frozen=True)
class Gap:
    """A difference between bill and log that holds on the days `[starts_at, ends_at)`, or to the end of the log."""

    gap_id: str
    provider: str
    cause: str
    starts_at: date
    ends_at: date | None
    description: str

    def covers(self, day: date) -> bool:
        return self.starts_at <= day and (self.ends_at is None or day < self.ends_at)


PLAYGROUND = Gap(
    "playground_key",
    "openai",
    "coverage",
    date(2026, 9, 14),
    None,
    "On working days somebody tries prompts on gpt-4o by key_playground of proj_sandbox, which no application logs.",
)
WEB_SEARCHES = Gap(
    "web_searches",
    "openai",
    "non_token",
    date(2026, 10, 1),
    None,
    "Each search step of research.report calls the provider's web search, which the log does not count.",
)
THROUGHPUT = Gap(
    "provisioned_throughput",
    "openai",
    "fixed",
    date(2026, 9, 1),
    None,
    "Reserved units of gpt-4.1, on the first day of each month whether they are used or not.",
)
OPUS_DISCOUNT = Gap(
    "opus_discount",
    "anthropic",
    "price",
    date(2026, 9, 7),
    date(2026, 9, 21),
    "A trial discount of 5% on claude-opus-4-5 that no contract row knows.",
)
REASONING_DROPPED = Gap(
    "reasoning_dropped",
    "openai",
    "tokens",
    date(2026, 9, 22),
    date(2026, 9, 25),
    "A release of the client dropped part of the reasoning of gpt-5.2: the provider counted an eighth more output.",
)
TRUE_UP = Gap(
    "late_true_up",
    "openai",
    "timing",
    date(2026, 9, 15),
    date(2026, 9, 16),
    "Two weeks later the day's output of gpt-4.1 by checkout was billed higher, at unchanged tokens.",
)

PLAYGROUND_PROJECT, PLAYGROUND_KEY = "proj_sandbox", "key_playground"
WEB_SEARCH_USD = Decimal("0.01")
THROUGHPUT_USD = Decimal("30.50")
DISCOUNT = Decimal("0.05")
TRUE_UP_USD = Decimal("4.80")
TRUE_UP_AFTER = timedelta(days=14)
NOT_YET_BOOKED = {2: "cached input", 1: "output"}
"""What the bill still lacks, by days before the end of the log."""
BATCH_PRICE = Decimal("0.5")

PROVIDERS = ("openai", "anthropic")
MODELS = {model.name: model for endpoint in ENDPOINTS for model, _ in endpoint.models}
BILLED_NAMES = {
    "gpt-4.1": "gpt-4.1-2025-04-14",
    "gpt-4o": "gpt-4o-2024-08-06",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5.2": "gpt-5.2-2025-12-11",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "claude-sonnet-4-5": "claude-sonnet-4-5-20250929",
    "claude-opus-4-5": "claude-opus-4-5-20251101",
}
SPOKEN_NAMES = {SONNET.name: "Claude Sonnet 4.5", OPUS.name: "Claude Opus 4.5"}
ANTHROPIC_STANDARD = {"service_tier": "standard", "context_window": "0-200k", "inference_geo": "global"}


class Cell(NamedTuple):
    """What a provider sums calls by."""

    day: date
    project_id: str
    api_key_id: str
    model: str
    is_batch: bool = False


@dataclass(slots=True)
class Used:
    """Counts of calls, web searches and tokens; `input` holds cached and written tokens too."""

    requests: int = 0
    searches: int = 0
    input: int = 0
    cached: int = 0
    written: int = 0
    written_1h: int = 0
    output: int = 0


class Charge(NamedTuple):
    """Tokens of one type, and what they cost in USD by the price list."""

    kind: str
    tokens: int
    amount: Decimal


class Bills:
    """The bills of `days` days from DEMO_START, read at their end. Memory grows with days and keys, not with calls."""

    def __init__(self, days: int) -> None:
        self.days = [DEMO_START.date() + timedelta(days=day) for day in range(days)]
        self.end = self.days[-1] + timedelta(days=1)
        self.used: defaultdict[Cell, Used] = defaultdict(Used)
        self.not_yet_booked = Gap(
            "not_yet_booked",
            "openai",
            "timing",
            self.days[-max(NOT_YET_BOOKED) :][0],
            None,
            "The last two days are open: the bill lacks the cached input of the first and the output of the second.",
        )

    def add(self, event: dict[str, Any]) -> None:
        """Counts an accepted call, once; a provider books it on the day on which it ends."""
        if event["provider"] not in PROVIDERS or "input_tokens" not in event:
            return
        day = (datetime.fromisoformat(event["started_at"]) + timedelta(milliseconds=event["latency_ms"])).date()
        if day >= self.end:
            return
        is_batch = event["service_tier"] == "batch"
        used = self.used[Cell(day, event["project_id"], event["api_key_id"], event["model"], is_batch)]
        used.requests += 1
        used.searches += event.get("call_name") == "search" and WEB_SEARCHES.covers(day)
        used.input += event["input_tokens"]
        used.cached += event.get("cached_input_tokens", 0)
        used.written += event.get("cache_write_tokens", 0)
        used.written_1h += event.get("cache_write_1h_tokens", 0)
        used.output += event["output_tokens"]

    def files(self) -> dict[str, tuple[Sequence[str], list[list[object]]]]:
        """Columns and rows of each file, by its name."""
        sizes: Counter[Gap] = Counter()
        billed = sorted(self._billed(sizes).items())
        tables = {
            "raw_demo_openai_usage.csv": (OPENAI_USAGE, _openai_usage(billed)),
            "raw_demo_openai_costs.csv": (OPENAI_COSTS, self._openai_costs(billed, sizes)),
            "raw_demo_anthropic_usage.csv": (ANTHROPIC_USAGE, _anthropic_usage(billed)),
            "raw_demo_anthropic_costs.csv": (ANTHROPIC_COSTS, _anthropic_costs(billed, sizes)),
        }
        files: dict[str, tuple[Sequence[str], list[list[object]]]] = {}
        for name, (table, rows) in tables.items():
            columns = (*table.kinds, *VERSION_COLUMNS)
            files[name] = columns, [[_text(row.get(column)) for column in columns] for row in map(_versioned, rows)]
        files["raw_demo_bills_periods.csv"] = PERIOD_COLUMNS, self._periods()
        files["demo_planted_bill_gaps.csv"] = GAP_COLUMNS, self._planted(sizes)
        return files

    def _billed(self, sizes: Counter[Gap]) -> dict[Cell, Used]:
        """What the providers counted: the log's calls, and what the log does not know of."""
        billed = dict(self.used)
        for cell, used in self.used.items():
            if cell.model == GPT_5_2.name and REASONING_DROPPED.covers(cell.day):
                more = used.output // 8
                billed[cell] = replace(used, output=used.output + more)
                sizes[REASONING_DROPPED] += _price(more, GPT_5_2.output_price)
        for day in self.days:
            if PLAYGROUND.covers(day) and day.weekday() < 5:
                requests = 3 + day.day % 5
                used = Used(requests, input=51_300 * requests, output=4_210 * requests)
                billed[Cell(day, PLAYGROUND_PROJECT, PLAYGROUND_KEY, GPT_4O.name)] = used
                sizes[PLAYGROUND] += _price(used.input, GPT_4O.input_price) + _price(used.output, GPT_4O.output_price)
        return billed

    def _openai_costs(self, billed: list[tuple[Cell, Used]], sizes: Counter[Gap]) -> Iterator[Row]:
        for cell, used in _of("openai", billed):
            common = _openai_group(cell) | {"currency": "usd"}
            missing = NOT_YET_BOOKED.get((self.end - cell.day).days)
            for charge in _charges(cell, used):
                if charge.kind == missing:
                    sizes[self.not_yet_booked] -= charge.amount
                    continue
                row = common | {
                    "line_item": f"{BILLED_NAMES[cell.model]}, {charge.kind}",
                    "amount": charge.amount,
                    "quantity": charge.tokens,
                    "quantity_unit": "tokens",
                }
                is_raised = TRUE_UP.covers(cell.day) and cell.day + TRUE_UP_AFTER <= self.end
                if is_raised and (cell.api_key_id, charge.kind) == ("key_checkout_prod", "output"):
                    yield row | {"_dlt_valid_to": cell.day + TRUE_UP_AFTER}
                    row["amount"] = charge.amount + TRUE_UP_USD
                    row["_dlt_valid_from"] = cell.day + TRUE_UP_AFTER
                    sizes[TRUE_UP] += TRUE_UP_USD
                yield row
            if used.searches:
                amount = used.searches * WEB_SEARCH_USD
                sizes[WEB_SEARCHES] += amount
                searched = {"quantity": used.searches, "quantity_unit": "calls", "amount": amount}
                yield common | {"line_item": "web search tool calls"} | searched
        for day in self.days:
            if THROUGHPUT.covers(day) and day.day == 1:
                sizes[THROUGHPUT] += THROUGHPUT_USD
                line = {"line_item": "provisioned throughput, gpt-4.1", "amount": THROUGHPUT_USD}
                yield {"usage_date": day, "currency": "usd"} | line

    def _periods(self) -> list[list[object]]:
        fetched_at = _moment(self.end)
        return [
            [provider, report, day, fetched_at]
            for provider in PROVIDERS
            for report in ("usage", "costs")
            for day in self.days
        ]

    def _planted(self, sizes: Counter[Gap]) -> list[list[object]]:
        """One row for each gap that the bills really hold."""
        return [
            [
                gap.gap_id,
                gap.provider,
                gap.cause,
                gap.starts_at,
                min(gap.ends_at or self.end, self.end),
                f"{usd:.2f}",
                gap.description,
            ]
            for gap, usd in sorted(sizes.items(), key=lambda planted: planted[0].starts_at)
            if usd
        ]


def _charges(cell: Cell, used: Used) -> Iterator[Charge]:
    """The lines that a provider bills for a cell, without those of no tokens."""
    model = MODELS[cell.model]
    share = BATCH_PRICE if cell.is_batch else 1
    kinds = {
        "input": (used.input - used.cached - used.written, model.input_price),
        "cached input": (used.cached, model.cached_price),
        "cache write": (used.written - used.written_1h, model.cache_write_price),
        "cache write 1h": (used.written_1h, model.cache_write_price),
        "output": (used.output, model.output_price),
    }
    for kind, (tokens, price) in kinds.items():
        if tokens:
            yield Charge(kind, tokens, share * _price(tokens, price))


def _openai_usage(billed: list[tuple[Cell, Used]]) -> Iterator[Row]:
    for cell, used in _of("openai", billed):
        group = _openai_group(cell) | {"model": BILLED_NAMES[cell.model]}
        yield {
            **group,
            "usage_kind": "completions",
            "batch": cell.is_batch,
            "service_tier": "default",
            "input_tokens": used.input,
            "input_cached_tokens": used.cached,
            "output_tokens": used.output,
            "num_model_requests": used.requests,
        }
        if used.searches:
            searches = {"num_model_requests": used.searches, "num_requests": used.searches}
            yield group | {"usage_kind": "web_search_calls"} | searches


def _openai_group(cell: Cell) -> Row:
    return {"usage_date": cell.day, "project_id": cell.project_id, "api_key_id": cell.api_key_id}


def _anthropic_usage(billed: list[tuple[Cell, Used]]) -> Iterator[Row]:
    for cell, used in _of("anthropic", billed):
        yield ANTHROPIC_STANDARD | {
            "usage_date": cell.day,
            "workspace_id": cell.project_id,
            "api_key_id": cell.api_key_id,
            "model": BILLED_NAMES[cell.model],
            "uncached_input_tokens": used.input - used.cached - used.written,
            "cache_creation_5m_input_tokens": used.written - used.written_1h,
            "cache_creation_1h_input_tokens": used.written_1h,
            "cache_read_input_tokens": used.cached,
            "output_tokens": used.output,
            "web_search_requests": 0,
        }


ANTHROPIC_KINDS = {
    "input": ("uncached_input_tokens", "Input Tokens"),
    "cached input": ("cache_read_input_tokens", "Input Tokens, Cache Hit"),
    "cache write": ("cache_creation.ephemeral_5m_input_tokens", "Input Tokens, Cache Write"),
    "cache write 1h": ("cache_creation.ephemeral_1h_input_tokens", "Input Tokens, Cache Write"),
    "output": ("output_tokens", "Output Tokens"),
}
"""The token type and the words of the cost report."""


def _anthropic_costs(billed: list[tuple[Cell, Used]], sizes: Counter[Gap]) -> Iterator[Row]:
    """The cost report knows workspaces, no keys."""
    amounts: Counter[tuple[date, str, str, str]] = Counter()
    for cell, used in _of("anthropic", billed):
        discount = DISCOUNT if cell.model == OPUS.name and OPUS_DISCOUNT.covers(cell.day) else 0
        for charge in _charges(cell, used):
            amounts[cell.day, cell.project_id, cell.model, charge.kind] += charge.amount * (1 - discount)
            sizes[OPUS_DISCOUNT] -= charge.amount * discount
    for (day, workspace_id, model, kind), amount in amounts.items():
        token_type, words = ANTHROPIC_KINDS[kind]
        yield ANTHROPIC_STANDARD | {
            "usage_date": day,
            "workspace_id": workspace_id,
            "description": f"{SPOKEN_NAMES[model]} Usage - {words}",
            "cost_type": "tokens",
            "token_type": token_type,
            "model": BILLED_NAMES[model],
            "amount_cents": 100 * amount,
            "currency": "USD",
        }


def _of(provider: str, billed: list[tuple[Cell, Used]]) -> Iterator[tuple[Cell, Used]]:
    return ((cell, used) for cell, used in billed if MODELS[cell.model].provider == provider)


def _price(tokens: int, usd_per_million: float) -> Decimal:
    return tokens * Decimal(str(usd_per_million)) / 1_000_000


def _versioned(row: Row) -> Row:
    """As the fetch of the midnight after its day found it, unless it says otherwise."""
    versions = {"_dlt_valid_from": row["usage_date"] + timedelta(days=1)} | row
    return versions | {name: _moment(versions[name]) for name in VERSION_COLUMNS if name in versions}


def _moment(day: date) -> str:
    return datetime(day.year, day.month, day.day).isoformat(" ", "microseconds")


def _text(value: object) -> object:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return str(value).lower() if isinstance(value, bool) else value
