-- What the span of a call says of the call itself, whoever wrote it: the semantic conventions' names, new and old,
-- OpenInference's, Traceloop's, Anthropic's SDK's. Tokens leave here in the inclusive form.

{{ config(enabled='otel' in usage_sources(), materialized='table') }}

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

final as (

    select
        *,
        case when not is_usage_missing then all_input end as input_tokens,
        case when not is_usage_missing then all_output end as output_tokens
    from called

)

select * from final
