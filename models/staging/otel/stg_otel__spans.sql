-- OpenTelemetry's spans of calls to models, whoever made them: the official instrumentations, Anthropic's SDK itself,
-- Traceloop, OpenInference. A span that one instrumentation puts around another's is the same call: the inner counts,
-- with what only the outer knows. Whom a call was for, the nearest span above says that knows it, else the resource.

{{ config(materialized='table') }}

{% set attributes = {
    'response_model': ['gen_ai.response.model', 'llm.response.model_name', 'llm.model_name', 'embedding.model_name'],
    'requested_model': ['gen_ai.request.model', 'llm.request.model_name', 'llm_spend.requested_model'],
    'provider': ['gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'llm.system'],
    'response_id': ['gen_ai.response.id', 'llm_spend.response_id'],
    'service_tier': [
        'gen_ai.openai.response.service_tier', 'openai.response.service_tier', 'anthropic.response.service_tier',
        'llm_spend.service_tier', 'gen_ai.openai.request.service_tier', 'openai.request.service_tier',
    ],
    'reported_cost': ['llm_spend.reported_cost_usd', 'llm.cost.total'],
} %}
{% set counts = {
    'said_input': ['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens', 'llm.token_count.prompt'],
    'said_output': ['gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens', 'llm.token_count.completion'],
    'said_cached': [
        'gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_read_input_tokens',
        'llm.token_count.prompt_details.cache_read', 'llm_spend.cached_input_tokens',
    ],
    'said_written': [
        'gen_ai.usage.cache_write.input_tokens', 'gen_ai.usage.cache_creation.input_tokens',
        'gen_ai.usage.cache_creation_input_tokens', 'llm.token_count.prompt_details.cache_write',
        'llm_spend.cache_write_tokens',
    ],
    'said_written_1h': [
        'anthropic.usage.cache_creation.ephemeral_1h_input_tokens', 'llm_spend.cache_write_1h_tokens',
    ],
    'said_reasoning': [
        'gen_ai.usage.reasoning.output_tokens', 'gen_ai.usage.reasoning_tokens',
        'llm.token_count.completion_details.reasoning',
    ],
    'said_uncached': ['llm_spend.uncached_input_tokens', 'llm_spend.input_tokens_without_cache'],
} %}
{% set parts = ['cached_input_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'reasoning_tokens'] %}
{% set tokens = ['input_tokens', 'output_tokens'] + parts %}
{% set filled = ['response_id', 'service_tier', 'requested_model', 'model', 'provider', 'error_code'] + tokens %}
{% set context = span_context_attributes() %}
{% set alike %}trace_id, parent_span_id, model, input_tokens, output_tokens{% endset %}

with spans as (

    select * from {{ ref('stg_otel__distinct_spans') }}

),

said as (

    select
        trace_id,
        span_id,
        parent_span_id,
        scope_name,
        started_at,
        ended_at,
        is_embedding,
        has_error_status,
        status_message,
        resource_attributes,
        _loaded_at,
        {% for column, names in attributes.items() -%}
        nullif({{ first_json_value('span_attributes', names) }}, '') as {{ column }},
        {% endfor -%}
        {% for column, names in counts.items() -%}
        {{ first_json_value('span_attributes', names) }} as {{ column }},
        {% endfor -%}
        nullif({{ json_value('span_attributes', 'error.type') }}, '') as error_type,
        nullif({{ json_value('span_attributes', 'exception.type') }}, '') as exception_type,
        {{ json_value('span_attributes', 'http.response.status_code') }} as http_code,
        {{ json_value('span_attributes', 'http.request.resend_count') }} as resends,
        {{ json_value('span_attributes', 'llm_spend.attempt_number') }} as attempt
    from spans
    where is_call

),

numbers as (

    select
        *,
        {% for column in counts -%}
        {{ count_or_null(column) }} as {{ column.replace('said', 'count') }},
        {% endfor -%}
        {% for column in counts -%}
        coalesce({{ column }} is not null and {{ count_or_null(column) }} is null, false){{ ' or' if not loop.last }}
        {% endfor -%}
            as is_unreadable,
        {{ count_or_null('resends') }} as resend_count,
        lower(coalesce(error_type, exception_type, {{ text_word('status_message', 1) }}, '')) as failure,
        has_error_status or error_type is not null as has_failed
    from said

),

called as (

    select
        trace_id,
        span_id,
        parent_span_id,
        scope_name,
        started_at,
        ended_at,
        resource_attributes,
        _loaded_at,
        is_unreadable,
        response_id,
        service_tier,
        requested_model,
        coalesce(response_model, requested_model) as model,
        case
            when lower(provider) like 'az.%' or lower(provider) like 'azure%' then 'azure'
            when lower(provider) = 'gcp.gen_ai' then 'google'
            when lower(provider) = 'x_ai' then 'xai'
            else lower(provider)
        end as provider,
        case
            when not has_failed
                then 'success'
            when failure like '%timeout%' or failure like '%timed%out%' or http_code in ('408', '504')
                or failure in ('408', '504')
                then 'timeout'
            when failure like '%ratelimit%' or failure like '%rate_limit%' or http_code = '429' or failure = '429'
                or status_message like '%Error code: 429%'
                then 'rate_limited'
            when failure like '%cancel%'
                then 'cancelled'
            else 'error'
        end as status,
        case when has_failed then coalesce(nullif(http_code, '200'), error_type, exception_type) end as error_code,
        coalesce({{ count_or_null('attempt') }}, resend_count + 1) as attempt_number,
        {{ money_or_null('reported_cost') }} as reported_cost_usd,
        -- no call takes and gives nothing: what was not counted stands as 0 in some
        coalesce(count_input, 0) = 0 and coalesce(count_output, 0) = 0 as is_usage_missing,
        case
            when count_uncached is not null
                then count_uncached + coalesce(count_cached, 0) + coalesce(count_written, 0)
            when coalesce(count_cached, 0) + coalesce(count_written, 0) > count_input
                then count_input + coalesce(count_cached, 0) + coalesce(count_written, 0)
            else count_input
        end as all_input,
        case when is_embedding and count_input is not null then coalesce(count_output, 0) else count_output end
            as all_output,
        count_cached as cached_input_tokens,
        count_written as cache_write_tokens,
        count_written_1h as cache_write_1h_tokens,
        count_reasoning as reasoning_tokens
    from numbers

),

calls as (

    select
        *,
        case when not is_usage_missing then all_input end as input_tokens,
        case when not is_usage_missing then all_output end as output_tokens
    from called

),

-- Up the trace, a level each.
level_0 as (

    select
        trace_id,
        span_id,
        parent_span_id as next_span_id,
        cast(null as {{ dbt.type_string() }}) as enclosing,
        {{ context | join(',\n        ') }}
    from spans
    where is_call

),

{% for level in range(1, span_levels() + 1) -%}
level_{{ level }} as (

    select
        below.trace_id as trace_id,
        below.span_id as span_id,
        above.parent_span_id as next_span_id,
        -- what a tool calls is a call of its own
        coalesce(
            below.enclosing,
            case when above.is_tool then '' when above.is_call then above.span_id end
        ) as enclosing,
        {% for field in context -%}
        coalesce(below.{{ field }}, above.{{ field }}) as {{ field }}{{ ',' if not loop.last }}
        {% endfor %}
    from level_{{ level - 1 }} as below
    left join spans as above
        on below.trace_id = above.trace_id
        and below.next_span_id = above.span_id

),

{% endfor -%}
placed as (

    select
        calls.*,
        nullif(walked.enclosing, '') as enclosing_span_id,
        {% for field, names in context.items() -%}
        coalesce(
            walked.{{ field }},
            nullif({{ first_json_value('calls.resource_attributes', names) }}, '')
        ) as {{ field }}{{ ',' if not loop.last }}
        {% endfor %}
    from calls
    inner join level_{{ span_levels() }} as walked
        on calls.trace_id = walked.trace_id
        and calls.span_id = walked.span_id

),

inner_calls as (

    select
        trace_id,
        enclosing_span_id,
        count(*) as inner_count,
        sum(case when status = 'success' then 1 else 0 end) as inner_successes
    from placed
    where enclosing_span_id is not null
    group by trace_id, enclosing_span_id

),

-- Where all that it contains failed, a call that succeeded had an answer from elsewhere.
nested as (

    select
        placed.*,
        coalesce(inner_calls.inner_count, 0) as inner_count,
        inner_calls.inner_count is not null
        and not (
            placed.status = 'success'
            and placed.input_tokens is not null
            and inner_calls.inner_successes = 0
        ) as is_whole
    from placed
    left join inner_calls
        on placed.trace_id = inner_calls.trace_id
        and placed.span_id = inner_calls.enclosing_span_id

),

filled as (

    select
        nested.trace_id as trace_id,
        nested.span_id as span_id,
        nested.parent_span_id as parent_span_id,
        nested.scope_name as scope_name,
        nested.started_at as started_at,
        nested.ended_at as ended_at,
        nested.resource_attributes as resource_attributes,
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
        coalesce(calls.feature_name, {{ json_value('calls.resource_attributes', 'service.name') }}) as feature_name,
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
