-- Where usage events land in ClickHouse 26 or newer: what the models read with the var `event_source: landing`.
-- Timestamps are UTC. Rows are only appended; a run reads the parts of the days it needs by their order.

create database if not exists raw;

create table if not exists raw.raw_usage_events (
    event_id String,
    started_at Nullable(DateTime64(6, 'UTC')),
    provider Nullable(String),
    model Nullable(String),
    requested_model Nullable(String),
    service_tier Nullable(String),
    region Nullable(String),
    speed Nullable(String),
    external_request_id Nullable(String),
    call_name Nullable(String),
    attempt_number Nullable(Int64),
    run_id Nullable(String),
    endpoint_tag Nullable(String),
    prompt_version Nullable(String),
    feature_name Nullable(String),
    agent_id Nullable(String),
    workflow_id Nullable(String),
    cost_group Nullable(String),
    tenant_id Nullable(String),
    user_id Nullable(String),
    user_type Nullable(String),
    team Nullable(String),
    project_id Nullable(String),
    api_key_id Nullable(String),
    environment Nullable(String),
    data_mode Nullable(String),
    input_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    total_tokens Nullable(Int64),
    cached_input_tokens Nullable(Int64),
    cache_write_tokens Nullable(Int64),
    cache_write_1h_tokens Nullable(Int64),
    reasoning_tokens Nullable(Int64),
    input_audio_tokens Nullable(Int64),
    output_audio_tokens Nullable(Int64),
    input_image_tokens Nullable(Int64),
    output_image_tokens Nullable(Int64),
    cached_audio_tokens Nullable(Int64),
    cached_image_tokens Nullable(Int64),
    web_search_requests Nullable(Int64),
    other_usage Nullable(String),
    cache_hit Nullable(Bool),
    status Nullable(String),
    error_code Nullable(String),
    task_succeeded Nullable(Bool),
    latency_ms Nullable(Int64),
    reported_cost_usd Nullable(Decimal(28, 12)),
    sample_rate Nullable(Decimal(17, 12)),
    tags Nullable(String),
    _loaded_at DateTime64(6, 'UTC'),
    _input_includes_cache Nullable(Bool),
    _output_includes_reasoning Nullable(Bool),
    _file_hash String,
    _source_file String,
    _source_line Int64,
    _row_hash String
)
engine = MergeTree
partition by toYYYYMM(_loaded_at)
order by (started_at, event_id)
settings allow_nullable_key = 1;

create table if not exists raw.raw_rejected_events (
    _file_hash String,
    _source_file String,
    _source_line Int64,
    reason String,
    raw_text Nullable(String),
    _loaded_at DateTime64(6, 'UTC'),
    source String
)
engine = MergeTree
order by _loaded_at;
