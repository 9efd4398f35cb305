-- Where usage events land in Postgres 15 or newer: what the models read with the var `event_source: landing`.
-- Create the database so that text is compared by its bytes and lower() knows more than ASCII:
--     create database llm_spend template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8';
-- Timestamps are naive UTC. Rows are only appended, in about the order of time, so that block ranges tell days apart.

create schema if not exists raw;

create table if not exists raw.raw_usage_events (
    event_id text not null,
    started_at timestamp,
    provider text,
    model text,
    requested_model text,
    service_tier text,
    region text,
    speed text,
    external_request_id text,
    call_name text,
    attempt_number bigint,
    run_id text,
    endpoint_tag text,
    prompt_version text,
    feature_name text,
    agent_id text,
    workflow_id text,
    cost_group text,
    tenant_id text,
    user_id text,
    user_type text,
    team text,
    project_id text,
    api_key_id text,
    environment text,
    data_mode text,
    input_tokens bigint,
    output_tokens bigint,
    total_tokens bigint,
    cached_input_tokens bigint,
    cache_write_tokens bigint,
    cache_write_1h_tokens bigint,
    reasoning_tokens bigint,
    input_audio_tokens bigint,
    output_audio_tokens bigint,
    input_image_tokens bigint,
    output_image_tokens bigint,
    cached_audio_tokens bigint,
    cached_image_tokens bigint,
    web_search_requests bigint,
    other_usage text,
    cache_hit boolean,
    status text,
    error_code text,
    task_succeeded boolean,
    latency_ms bigint,
    reported_cost_usd decimal(28, 12),
    sample_rate decimal(17, 12),
    tags text,
    _loaded_at timestamp not null,
    _input_includes_cache boolean,
    _output_includes_reasoning boolean,
    _file_hash text not null,
    _source_file text not null,
    _source_line bigint not null,
    _row_hash text not null
);

create index if not exists raw_usage_events_started_at on raw.raw_usage_events using brin (started_at);

create table if not exists raw.raw_rejected_events (
    _file_hash text not null,
    _source_file text not null,
    _source_line bigint not null,
    reason text not null,
    raw_text text,
    _loaded_at timestamp not null,
    source text not null
);
