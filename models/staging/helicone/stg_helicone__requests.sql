-- Helicone's requests. Cached and cache-write tokens are beside the prompt tokens, cost is in billionths of a dollar,
-- and a row is written again when anything about the request changes: the last one counts.

{{ config(enabled='helicone' in usage_sources(), materialized=shared_step()) }}

with requests as (

    select * from {{ source('helicone', 'requests') }}

),

calls as (

    select
        request_id as event_id,
        request_created_at as started_at,
        case lower(provider) when 'aws' then 'bedrock' else lower(provider) end as provider,
        nullif(model, '') as model,
        {{ json_value('properties', 'Helicone-Session-Id') }} as run_id,
        {{ json_value('properties', 'Helicone-Session-Path') }} as workflow_id,
        coalesce(
            {{ json_value('properties', 'endpoint') }},
            {{ json_value('properties', 'Helicone-Prompt-Id') }},
            nullif(prompt_id, '')
        ) as endpoint_tag,
        coalesce(
            {{ json_value('properties', 'Helicone-Prompt-Version') }},
            nullif(prompt_version, '')
        ) as prompt_version,
        {{ json_value('properties', 'feature') }} as feature_name,
        {{ json_value('properties', 'tenant') }} as tenant_id,
        {{ json_value('properties', 'environment') }} as environment,
        case when user_id not in ('', 'undefined', 'null') then user_id end as user_id,
        prompt_tokens as input_tokens,
        completion_tokens as output_tokens,
        prompt_cache_read_tokens as cached_input_tokens,
        prompt_cache_write_tokens as cache_write_tokens,
        prompt_audio_tokens as input_audio_tokens,
        completion_audio_tokens as output_audio_tokens,
        coalesce(cache_reference_id, '00000000-0000-0000-0000-000000000000') != '00000000-0000-0000-0000-000000000000'
            as cache_hit,
        -- below zero are Helicone's own: a stream that took too long is told from a call that goes on by its tokens
        case
            when status between 200 and 299 then 'success'
            when status = 429 then 'rate_limited'
            when status in (408, 504, -1, -2) then 'timeout'
            when status = -3 then 'cancelled'
            else 'error'
        end as status,
        case when status not between 200 and 299 then cast(status as {{ dbt.type_string() }}) end as error_code,
        latency as latency_ms,
        -- 0 beside tokens is a model whose price Helicone does not know
        case
            when cost > 0 or prompt_tokens + completion_tokens = 0
                then {{ money(
                    'cast(cost as ' ~ type_decimal(18, 0) ~ ') * cast(0.000000001 as ' ~ type_decimal(10, 9) ~ ')'
                ) }}
        end as reported_cost_usd,
        properties as tags,
        updated_at as _loaded_at,
        false as _input_includes_cache,
        {% for column in place_columns() -%}
        {{ column }},
        {% endfor -%}
        case
            when model = 'vector_db' or model = 'assistant-polling' or model like 'tool:%' or model like 'data:%'
                then 'not_a_call'
            when status = -2 and coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0) = 0
                then 'not_answered_yet'
        end as left_out_reason
    from requests

),

final as (

    select
        {{ staged_columns([
            'event_id', 'started_at', 'provider', 'model', 'run_id', 'workflow_id', 'endpoint_tag', 'prompt_version',
            'feature_name', 'tenant_id', 'environment', 'user_id', 'input_tokens', 'output_tokens',
            'cached_input_tokens', 'cache_write_tokens', 'input_audio_tokens', 'output_audio_tokens', 'cache_hit',
            'status', 'error_code', 'latency_ms', 'reported_cost_usd', 'tags', '_loaded_at', '_input_includes_cache',
            'left_out_reason',
        ]) }}
    from calls

)

select * from final
