-- Where usage events land in BigQuery: what the models read with the var `event_source: landing`.
-- Timestamps are UTC. Rows are only appended. A run reads whole rows of the days it writes and of no others; which days these
-- are, it finds in a few columns of all days. So leave `require_partition_filter` off.

create schema if not exists raw;

create table if not exists raw.raw_usage_events (
    event_id string not null,
    started_at timestamp,
    provider string,
    model string,
    requested_model string,
    service_tier string,
    region string,
    speed string,
    external_request_id string,
    call_name string,
    attempt_number int64,
    run_id string,
    endpoint_tag string,
    prompt_version string,
    feature_name string,
    agent_id string,
    workflow_id string,
    cost_group string,
    tenant_id string,
    user_id string,
    user_type string,
    team string,
    project_id string,
    api_key_id string,
    environment string,
    data_mode string,
    input_tokens int64,
    output_tokens int64,
    total_tokens int64,
    cached_input_tokens int64,
    cache_write_tokens int64,
    cache_write_1h_tokens int64,
    reasoning_tokens int64,
    input_audio_tokens int64,
    output_audio_tokens int64,
    input_image_tokens int64,
    output_image_tokens int64,
    cached_audio_tokens int64,
    cached_image_tokens int64,
    web_search_requests int64,
    other_usage string,
    cache_hit bool,
    status string,
    error_code string,
    task_succeeded bool,
    latency_ms int64,
    reported_cost_usd bignumeric(28, 12),
    sample_rate bignumeric(17, 12),
    tags string,
    _loaded_at timestamp not null,
    _input_includes_cache bool,
    _output_includes_reasoning bool,
    _file_hash string not null,
    _source_file string not null,
    _source_line int64 not null,
    _row_hash string not null
)
partition by timestamp_trunc(started_at, day)
cluster by event_id;

create table if not exists raw.raw_rejected_events (
    _file_hash string not null,
    _source_file string not null,
    _source_line int64 not null,
    reason string not null,
    raw_text string,
    _loaded_at timestamp not null,
    source string not null
);
