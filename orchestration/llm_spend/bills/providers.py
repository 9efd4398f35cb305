"""What the providers' report APIs are asked and how they answer, as they document it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from llm_spend.bills.tables import ANTHROPIC_COSTS, ANTHROPIC_USAGE, OPENAI_COSTS, OPENAI_USAGE, Table
from llm_spend.errors import UserError

Result = Mapping[str, object]


@dataclass(frozen=True, eq=False)
class Report:
    """One endpoint: where, in which groups, how many days a page may have, and what a result says of a row.

    `is_needed`: without it there is no bill; an organization may lack the others. `fixed` is the same in every row.
    """

    name: str
    path: str
    table: Table
    group_by: tuple[str, ...]
    says: Callable[[Result], Result] = dict
    page_days: int = 31
    is_needed: bool = True
    fixed: Mapping[str, str] | None = None

    @property
    def title(self) -> str:
        """What a person calls it."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True)
class Provider:
    """A provider's API. `final_after_days`: how long after its end a day may still change, and is read again."""

    name: str
    reports: tuple[Report, ...]
    final_after_days: int
    key_variable: str
    key_page: str
    url_variable: str
    default_url: str
    headers: Mapping[str, str]
    key_header: str | None
    group_parameter: str
    range_parameters: Callable[[date, date], dict[str, object]]
    day_of: Callable[[Result], date]

    @property
    def report_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(report.name for report in self.reports))

    def key(self) -> str:
        """The admin key, from the environment alone. UserError when it is not there."""
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            raise UserError(f"{self.key_variable} is not set: it holds the admin key of {self.name} ({self.key_page})")
        return key

    def url(self) -> str:
        """Where the API is: the provider's, or a proxy's that the environment names."""
        return (os.environ.get(self.url_variable) or self.default_url).rstrip("/")

    def parameters(self, report: Report, first: date, end: date) -> dict[str, object]:
        """The query for the days `[first, end)`."""
        return {
            **self.range_parameters(first, end),
            "bucket_width": "1d",
            "limit": report.page_days,
            self.group_parameter: list(report.group_by),
        }


def _unix(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _rfc3339(day: date) -> str:
    return f"{day}T00:00:00Z"


def _openai_cost(result: Result) -> Result:
    return {**result, "amount": result["amount"]["value"], "currency": result["amount"]["currency"]}


def _anthropic_usage(result: Result) -> Result:
    written, tools = result.get("cache_creation") or {}, result.get("server_tool_use") or {}
    return {
        **result,
        "cache_creation_5m_input_tokens": written.get("ephemeral_5m_input_tokens"),
        "cache_creation_1h_input_tokens": written.get("ephemeral_1h_input_tokens"),
        "web_search_requests": tools.get("web_search_requests"),
    }


def _anthropic_cost(result: Result) -> Result:
    return {**result, "amount_cents": result["amount"]}


_BY_MODEL = ("project_id", "api_key_id", "model")

_OPENAI_USAGE: dict[str, tuple[str, ...]] = {
    "completions": (*_BY_MODEL, "batch", "service_tier"),
    "embeddings": _BY_MODEL,
    "moderations": _BY_MODEL,
    "images": (*_BY_MODEL, "size", "source"),
    "audio_speeches": _BY_MODEL,
    "audio_transcriptions": _BY_MODEL,
    "vector_stores": ("project_id",),
    "code_interpreter_sessions": ("project_id",),
    "web_search_calls": (*_BY_MODEL, "context_level"),
    "file_search_calls": ("project_id", "api_key_id", "vector_store_id"),
}
"""The kinds of usage, each with all groups that its endpoint knows but the person."""

OPENAI = Provider(
    name="openai",
    reports=(
        *(
            Report(
                "usage",
                f"organization/usage/{kind}",
                OPENAI_USAGE,
                group_by,
                is_needed=kind == "completions",
                fixed={"usage_kind": kind},
            )
            for kind, group_by in _OPENAI_USAGE.items()
        ),
        Report(
            "costs",
            "organization/costs",
            OPENAI_COSTS,
            ("project_id", "line_item", "api_key_id"),
            _openai_cost,
            page_days=180,
        ),
    ),
    # OpenAI names no time. A week holds what its reports are late by, and costs no request more: a page has 31 days.
    final_after_days=7,
    key_variable="OPENAI_ADMIN_KEY",
    key_page="platform.openai.com/settings/organization/admin-keys",
    url_variable="OPENAI_BASE_URL",
    default_url="https://api.openai.com/v1",
    headers={},
    key_header=None,
    group_parameter="group_by",
    range_parameters=lambda first, end: {"start_time": _unix(first), "end_time": _unix(end)},
    day_of=lambda bucket: datetime.fromtimestamp(int(bucket["start_time"]), UTC).date(),
)

ANTHROPIC = Provider(
    name="anthropic",
    reports=(
        Report(
            "usage",
            "v1/organizations/usage_report/messages",
            ANTHROPIC_USAGE,
            ("api_key_id", "workspace_id", "model", "service_tier", "context_window", "inference_geo"),
            _anthropic_usage,
        ),
        Report(
            "costs",
            "v1/organizations/cost_report",
            ANTHROPIC_COSTS,
            ("workspace_id", "description"),
            _anthropic_cost,
        ),
    ),
    # What Anthropic says of its analytics API, the only one of its reports that names a time.
    final_after_days=30,
    key_variable="ANTHROPIC_ADMIN_KEY",
    key_page="platform.claude.com/settings/admin-keys",
    url_variable="ANTHROPIC_BASE_URL",
    default_url="https://api.anthropic.com",
    headers={"anthropic-version": "2023-06-01"},
    key_header="x-api-key",
    group_parameter="group_by[]",
    range_parameters=lambda first, end: {"starting_at": _rfc3339(first), "ending_at": _rfc3339(end)},
    day_of=lambda bucket: datetime.fromisoformat(bucket["starting_at"]).astimezone(UTC).date(),
)
