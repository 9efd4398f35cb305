-- OpenTelemetry's spans as usage events. A span that one instrumentation puts around another's is the same call: the
-- inner counts, with what only the outer knows. What is no call says why.

{{ config(enabled='otel' in usage_sources(), materialized='table') }}

{% set parts = ['cached_input_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'reasoning_tokens'] %}
{% set tokens = ['input_tokens', 'output_tokens'] + parts %}
{% set filled = ['response_id', 'service_tier', 'requested_model', 'model', 'provider', 'error_code'] + tokens %}
{% set context = span_context_attributes() %}
{% set alike %}trace_id, parent_span_id, model, input_tokens, output_tokens{% endset %}

with calls as (

    select
        told.*,
        {% for field in context -%}
        contexts.{{ field }} as {{ field }},
        {% endfor -%}
        contexts.service_name as service_name,
        contexts.enclosing_span_id as enclosing_span_id
    from {{ ref('stg_otel__calls') }} as told
    inner join {{ ref('stg_otel__contexts') }} as contexts
        on told.trace_id = contexts.trace_id
        and told.span_id = contexts.span_id

),

inner_calls as (

    select
        trace_id,
        enclosing_span_id,
        count(*) as inner_count,
        sum(case when status = 'success' then 1 else 0 end) as inner_successes
    from calls
    where enclosing_span_id is not null
    group by trace_id, enclosing_span_id

),

-- Where all that it contains failed, a call that succeeded had an answer from elsewhere.
nested as (

    select
        calls.*,
        coalesce(inner_calls.inner_count, 0) as inner_count,
        inner_calls.inner_count is not null
        and not (
            calls.status = 'success'
            and calls.input_tokens is not null
            and inner_calls.inner_successes = 0
        ) as is_whole
    from calls
    left join inner_calls
        on calls.trace_id = inner_calls.trace_id
        and calls.span_id = inner_calls.enclosing_span_id

),

filled as (

    select
        nested.trace_id as trace_id,
        nested.span_id as span_id,
        nested.parent_span_id as parent_span_id,
        nested.scope_name as scope_name,
        nested.started_at as started_at,
        nested.ended_at as ended_at,
        nested.service_name as service_name,
        nested._loaded_at as _loaded_at,
        nested.is_unreadable as is_unreadable,
        nested.is_whole as is_whole,
        nested.attempt_number as attempt_number,
        nested.reported_cost_usd as reported_cost_usd,
        {% for column in context -%}
        nested.{{ column }} as {{ column }},
        {% endfor -%}
        {% for column in filled -%}
        coalesce(nested.{{ column }}, outer_calls.{{ column }}) as {{ column }},
        {% endfor -%}
        case when nested.status = 'success' then coalesce(outer_calls.status, nested.status) else nested.status end
            as status
    from nested
    left join nested as outer_calls
        on nested.trace_id = outer_calls.trace_id
        and nested.enclosing_span_id = outer_calls.span_id
        and outer_calls.is_whole
        and outer_calls.inner_count = 1

),

-- Two instrumentations side by side: the nth of one is the nth of the other.
numbered as (

    select
        *,
        row_number() over (
            partition by is_whole, {{ alike }}, scope_name order by started_at, span_id
        ) as alike_ordinal
    from filled

),

gathered as (

    select
        *,
        count(*) over (partition by is_whole, {{ alike }}, alike_ordinal) as twins,
        count(response_id) over (partition by is_whole, {{ alike }}, alike_ordinal) as known_answers,
        max(started_at) over (partition by is_whole, {{ alike }}, alike_ordinal) as last_started_at,
        min(ended_at) over (partition by is_whole, {{ alike }}, alike_ordinal) as first_ended_at,
        row_number() over (
            partition by is_whole, {{ alike }}, alike_ordinal
            order by case when response_id is not null then 0 else 1 end, started_at, span_id
        ) as twin_ordinal
    from numbered

),

deliveries as (

    select
        trace_id,
        span_id,
        started_at{{ ',' if place_columns() }}
        {{ place_columns() | join(',\n        ') }}
    from {{ source('otel', 'spans') }}

),

events as (

    select
        deliveries.span_id as event_id,
        deliveries.trace_id as run_id,
        deliveries.started_at as started_at,
        {% for column in place_columns() -%}
        deliveries.{{ column }} as {{ column }},
        {% endfor -%}
        {% for column in [
            'response_id', 'service_tier', 'requested_model', 'model', 'provider', 'error_code', 'status',
            'attempt_number', 'reported_cost_usd', 'is_unreadable',
        ] + tokens + context.keys() | reject('in', ['environment', 'feature_name', 'user_type', 'data_mode']) | list -%}
        calls.{{ column }} as {{ column }},
        {% endfor -%}
        coalesce(calls.feature_name, calls.service_name) as feature_name,
        lower(calls.user_type) as user_type,
        lower(calls.data_mode) as data_mode,
        lower(calls.environment) as environment_word,
        {{ milliseconds_between('calls.started_at', 'calls.ended_at') }} as latency_ms,
        coalesce(calls._loaded_at, deliveries.started_at) as _loaded_at,
        case
            when calls.span_id is null
                then 'not_a_call'
            when
                calls.is_whole
                or (
                    calls.parent_span_id is not null
                    and calls.twins > 1
                    and calls.twin_ordinal > 1
                    and calls.known_answers <= 1
                    and calls.last_started_at < calls.first_ended_at
                )
                then 'repeats_its_parts'
        end as left_out_reason
    from deliveries
    left join gathered as calls
        on deliveries.trace_id = calls.trace_id
        and deliveries.span_id = calls.span_id

),

worded as (

    select
        *,
        case
            when environment_word in ('prod', 'production', 'prd', 'live') then 'prod'
            when environment_word in ('staging', 'stage', 'stg', 'preprod', 'pre-production', 'preproduction', 'uat')
                then 'staging'
            when
                environment_word in (
                    'dev', 'development', 'develop', 'local', 'test', 'testing', 'qa', 'ci', 'sandbox', 'preview'
                )
                then 'dev'
        end as environment,
        case
            when session_id is not null
                then {{ dbt.concat(["'{\"session_id\": '", json_text('session_id'), "'}'"]) }}
        end as tags
    from events

),

final as (

    select
        {{ staged_columns([
            'event_id', 'response_id', 'external_request_id', 'call_name', 'attempt_number', 'run_id', 'started_at',
            'provider', 'model', 'requested_model', 'service_tier', 'status', 'error_code', 'latency_ms',
            'endpoint_tag', 'prompt_version', 'feature_name', 'agent_id', 'workflow_id', 'cost_group', 'tenant_id',
            'user_id', 'user_type', 'team', 'project_id', 'api_key_id', 'environment', 'data_mode', 'input_tokens',
            'output_tokens', 'cached_input_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'reasoning_tokens',
            'reported_cost_usd', 'tags', '_loaded_at', 'left_out_reason', 'is_unreadable',
        ]) }}
    from worded

)

select * from final
