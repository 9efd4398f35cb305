"""The landing tables, declared once: the DDL, the casts and the mapping file all come from these lists."""

from dataclasses import dataclass
from typing import Literal

from llm_spend.ingest.sql import identifier

Kind = Literal["text", "timestamp", "integer", "decimal", "boolean", "json"]

_SQL_TYPES: dict[Kind, str] = {
    "text": "varchar",
    "timestamp": "timestamp",
    "integer": "bigint",
    "decimal": "decimal(28, 12)",
    "boolean": "boolean",
    "json": "varchar",
}


@dataclass(frozen=True)
class Column:
    """One landing column. `hashable`: it identifies a person or a customer, so a load may hash it."""

    name: str
    kind: Kind = "text"
    required: bool = False
    hashable: bool = False
    precision: str | None = None

    @property
    def sql_type(self) -> str:
        return self.precision or _SQL_TYPES[self.kind]

    @property
    def sql(self) -> str:
        """The quoted name: other systems have columns such as `user` and `startTime`."""
        return identifier(self.name)


def _columns(kind: Kind, names: str) -> tuple[Column, ...]:
    return tuple(Column(name, kind) for name in names.split())


EVENT_COLUMNS: tuple[Column, ...] = (
    Column("event_id"),
    Column("started_at", "timestamp", required=True),
    Column("provider"),
    Column("model", required=True),
    *_columns("text", "requested_model service_tier region speed external_request_id call_name"),
    Column("attempt_number", "integer"),
    *_columns("text", "run_id endpoint_tag prompt_version feature_name agent_id workflow_id cost_group"),
    Column("tenant_id", hashable=True),
    Column("user_id", hashable=True),
    *_columns("text", "user_type team project_id api_key_id environment data_mode"),
    *_columns("integer", "input_tokens output_tokens total_tokens cached_input_tokens cache_write_tokens"),
    *_columns("integer", "cache_write_1h_tokens reasoning_tokens input_audio_tokens output_audio_tokens"),
    *_columns("integer", "input_image_tokens output_image_tokens cached_audio_tokens cached_image_tokens"),
    Column("web_search_requests", "integer"),
    Column("other_usage", "json"),
    Column("cache_hit", "boolean"),
    Column("status"),
    Column("error_code"),
    Column("task_succeeded", "boolean"),
    Column("latency_ms", "integer"),
    Column("reported_cost_usd", "decimal"),
    Column("sample_rate", "decimal", precision="decimal(17, 12)"),
    Column("tags", "json"),
)
"""What a log may say about a call, in landing order; a mapping file may name exactly these."""

TOKEN_FLAGS: tuple[Column, ...] = (
    Column("_input_includes_cache", "boolean"),
    Column("_output_includes_reasoning", "boolean"),
)
"""How a row counts its tokens: a mapping file says it, for the whole log or by a column."""

PLACE_COLUMNS: tuple[Column, ...] = (
    Column("_file_hash"),
    Column("_source_file"),
    Column("_source_line", "integer"),
    Column("_row_hash"),
)
"""Where a row came from."""


@dataclass(frozen=True)
class Landing:
    """The landing table of one kind of log, whose `source` the models know; `flags`: what a mapping may say of it."""

    source: str
    name: str
    columns: tuple[Column, ...]
    flags: tuple[Column, ...] = ()

    @property
    def table(self) -> str:
        return f"raw.raw_{self.name}"

    @property
    def read_columns(self) -> tuple[Column, ...]:
        """What a log and its mapping say about a row."""
        return self.columns + self.flags

    @property
    def all_columns(self) -> tuple[Column, ...]:
        return (*self.columns, Column("_loaded_at", "timestamp"), *self.flags, *PLACE_COLUMNS)

    @property
    def by_name(self) -> dict[str, Column]:
        return {column.name: column for column in self.columns}


USAGE_EVENTS = Landing("app", "usage_events", EVENT_COLUMNS, TOKEN_FLAGS)

LANDINGS: dict[str, Landing] = {
    landing.name: landing
    for landing in (
        USAGE_EVENTS,
        Landing(
            "litellm",
            "litellm_spend_logs",
            (
                *_columns("text", "request_id call_type api_key"),
                Column("spend", "decimal"),
                *_columns("integer", "prompt_tokens completion_tokens"),
                *_columns("timestamp", "startTime endTime"),
                *_columns("text", "model model_group custom_llm_provider api_base user"),
                Column("metadata", "json"),
                *_columns("text", "cache_hit request_tags team_id end_user session_id status litellm_call_id"),
                # The payload has these beside the metadata, the table inside.
                Column("error_information", "json"),
                *_columns("integer", "attempted_retries attempted_fallbacks"),
                Column("service_tier"),
            ),
        ),
        Landing(
            "otel",
            "otel_spans",
            (
                *_columns("text", "trace_id span_id parent_span_id name scope_name"),
                *_columns("timestamp", "started_at ended_at"),
                *_columns("text", "status_code status_message"),
                *_columns("json", "span_attributes resource_attributes"),
            ),
        ),
        Landing(
            "langfuse",
            "langfuse_observations",
            (
                *(Column(name, required=True) for name in ("id", "type")),
                Column("start_time", "timestamp", required=True),
                Column("end_time", "timestamp"),
                *_columns("text", "trace_id parent_observation_id name environment level status_message version"),
                Column("provided_model_name"),
                *_columns("json", "model_parameters metadata usage_details cost_details"),
                Column("total_cost", "decimal"),
                *_columns("text", "prompt_name prompt_version user_id session_id tags trace_name release"),
                Column("updated_at", "timestamp"),
                Column("is_deleted", "boolean"),
            ),
        ),
        Landing(
            "langfuse",
            "langfuse_traces",
            (
                Column("id", required=True),
                *_columns("text", "name user_id session_id tags release version environment"),
                Column("metadata", "json"),
                Column("updated_at", "timestamp"),
                Column("is_deleted", "boolean"),
            ),
        ),
        Landing(
            "helicone",
            "helicone_requests",
            (
                Column("request_id"),
                Column("request_created_at", "timestamp"),
                *_columns("integer", "latency status completion_tokens prompt_tokens"),
                *_columns("integer", "prompt_cache_write_tokens prompt_cache_read_tokens"),
                *_columns("integer", "prompt_audio_tokens completion_audio_tokens"),
                *_columns("text", "model provider user_id prompt_id prompt_version"),
                Column("properties", "json"),
                *_columns("text", "cache_reference_id"),
                Column("cost", "integer"),
                Column("updated_at", "timestamp"),
            ),
        ),
        Landing(
            "claude_code",
            "claude_code_messages",
            (
                *_columns("text", "uuid type message_id request_id session_id agent_id"),
                Column("logged_at", "timestamp"),
                Column("model"),
                *_columns("integer", "input_tokens output_tokens thinking_tokens cache_read_input_tokens"),
                *_columns("integer", "cache_creation_input_tokens ephemeral_5m_input_tokens ephemeral_1h_input_tokens"),
                Column("web_search_requests", "integer"),
                *_columns("text", "service_tier inference_geo speed"),
                *_columns("text", "cwd git_branch version entrypoint user_id"),
                *_columns("boolean", "is_sidechain is_api_error_message"),
                Column("api_error_status", "integer"),
                Column("error"),
                Column("cost_usd", "decimal"),
            ),
        ),
    )
}
"""By the name that a mapping file gives as `table`; the columns of other systems keep the names they have there."""

CALLS: dict[str, Landing] = {landing.source: landing for landing in reversed(LANDINGS.values())}
"""The landing table of each source that holds its calls: the first one."""

PRECEDENCE: tuple[str, ...] = tuple(dict.fromkeys(landing.source for landing in LANDINGS.values()))
"""Whose record of a call counts, where several sources have one: what says most about it first."""

REJECTED_COLUMNS: tuple[Column, ...] = (
    Column("_file_hash"),
    Column("_source_file"),
    Column("_source_line", "integer"),
    Column("reason"),
    Column("raw_text"),
    Column("_loaded_at", "timestamp"),
    Column("source"),
)

FILE_COLUMNS: tuple[Column, ...] = (
    Column("_file_hash"),
    Column("_source_file"),
    Column("mapping_hash"),
    Column("byte_count", "integer"),
    Column("event_count", "integer"),
    Column("rejected_count", "integer"),
    Column("_loaded_at", "timestamp"),
    Column("left_out_count", "integer"),
    Column("source"),
)

TABLES: dict[str, tuple[Column, ...]] = {
    **{landing.table: landing.all_columns for landing in LANDINGS.values()},
    "raw.raw_rejected_events": REJECTED_COLUMNS,
    "raw.raw_loaded_files": FILE_COLUMNS,
}

_ADDED = (
    ("raw.raw_loaded_files", "left_out_count bigint default 0"),
    ("raw.raw_loaded_files", "source varchar default 'app'"),
    ("raw.raw_rejected_events", "source varchar default 'app'"),
)
"""Columns that a database of an earlier release lacks."""


def create_statements() -> list[str]:
    """The DDL of the landing schema; running it again changes nothing."""
    tables = [
        f"create table if not exists {name} ({', '.join(f'{c.sql} {c.sql_type}' for c in columns)})"
        for name, columns in TABLES.items()
    ]
    added = [f"alter table {table} add column if not exists {column}" for table, column in _ADDED]
    return ["create schema if not exists raw", *tables, *added]
