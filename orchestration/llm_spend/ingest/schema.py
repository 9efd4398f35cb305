"""The landing tables, declared once: the DDL, the casts and the mapping file all come from these lists."""

from dataclasses import dataclass
from typing import Literal

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

LOAD_COLUMNS: tuple[Column, ...] = (
    Column("_loaded_at", "timestamp"),
    *TOKEN_FLAGS,
    Column("_file_hash"),
    Column("_source_file"),
    Column("_source_line", "integer"),
    Column("_row_hash"),
)
"""What the load itself knows about a row, and the token flags."""

REJECTED_COLUMNS: tuple[Column, ...] = (
    Column("_file_hash"),
    Column("_source_file"),
    Column("_source_line", "integer"),
    Column("reason"),
    Column("raw_text"),
    Column("_loaded_at", "timestamp"),
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
)

TABLES: dict[str, tuple[Column, ...]] = {
    "raw.raw_usage_events": EVENT_COLUMNS + LOAD_COLUMNS,
    "raw.raw_rejected_events": REJECTED_COLUMNS,
    "raw.raw_loaded_files": FILE_COLUMNS,
}

COLUMNS_BY_NAME: dict[str, Column] = {column.name: column for column in EVENT_COLUMNS}


def create_statements() -> list[str]:
    """The DDL of the landing schema; running it again changes nothing."""
    tables = [
        f"create table if not exists {name} ({', '.join(f'{c.name} {c.sql_type}' for c in columns)})"
        for name, columns in TABLES.items()
    ]
    # A database of before the column has the table already.
    added = "alter table raw.raw_loaded_files add column if not exists left_out_count bigint default 0"
    return ["create schema if not exists raw", *tables, added]
