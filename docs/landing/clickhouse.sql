-- Where usage events land in ClickHouse 26 or newer: what the models read with the var `event_source: landing`.
-- Timestamps are UTC. Rows are only appended; a run reads the parts of the days it needs by their order.

create database if not exists raw;

create table if not exists raw.raw_usage_events (
    event_id String,
    started_at Nullable(DateTime64(6, 'UTC')),
    provider LowCardinality(Nullable(String)),
    model LowCardinality(Nullable(String)),
    requested_model LowCardinality(Nullable(String)),
    service_tier LowCardinality(Nullable(String)),
    region LowCardinality(Nullable(String)),
    speed LowCardinality(Nullable(String)),
    external_request_id Nullable(String),
    call_name LowCardinality(Nullable(String)),
    attempt_number Nullable(Int64),
    run_id Nullable(String),
    endpoint_tag LowCardinality(Nullable(String)),
    prompt_version LowCardinality(Nullable(String)),
    feature_name LowCardinality(Nullable(String)),
    agent_id LowCardinality(Nullable(String)),
    workflow_id LowCardinality(Nullable(String)),
    cost_group LowCardinality(Nullable(String)),
    tenant_id Nullable(String),
    user_id Nullable(String),
    user_type LowCardinality(Nullable(String)),
    team LowCardinality(Nullable(String)),
    project_id LowCardinality(Nullable(String)),
    api_key_id LowCardinality(Nullable(String)),
    environment LowCardinality(Nullable(String)),
    data_mode LowCardinality(Nullable(String)),
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
    status LowCardinality(Nullable(String)),
    error_code LowCardinality(Nullable(String)),
    task_succeeded Nullable(Bool),
    latency_ms Nullable(Int64),
    reported_cost_usd Nullable(Decimal(28, 12)),
    sample_rate Nullable(Decimal(17, 12)),
    tags Nullable(String),
    _loaded_at DateTime64(6, 'UTC'),
    _input_includes_cache Nullable(Bool),
    _output_includes_reasoning Nullable(Bool),
    _file_hash LowCardinality(String),
    _source_file LowCardinality(String),
    _source_line Int64,
    _row_hash String
)
engine = MergeTree
partition by toYYYYMM(_loaded_at)
order by (started_at, event_id)
settings allow_nullable_key = 1;

create table if not exists raw.raw_rejected_events (
    _file_hash LowCardinality(String),
    _source_file LowCardinality(String),
    _source_line Int64,
    reason LowCardinality(String),
    raw_text Nullable(String),
    _loaded_at DateTime64(6, 'UTC')
)
engine = MergeTree
order by _loaded_at;
