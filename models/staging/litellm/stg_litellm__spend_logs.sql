-- LiteLLM's spend logs. Counts of a failed call are guesses of LiteLLM's, a hit of its cache repeats those of the first
-- answer, and a spend of 0 may mean that it knows no price.

{{ config(enabled='litellm' in usage_sources(), materialized=shared_step()) }}

{% set started_at, ended_at, key_user = adapter.quote('startTime'), adapter.quote('endTime'), adapter.quote('user') %}
-- What only a loaded file says, for the payload has it in other places than the table.
{% set is_landed = var('event_source', 'demo') == 'landing' %}

{% set input_details, output_details = 'prompt_tokens_details', 'completion_tokens_details' %}
{% set parts = {
    'cached_input_tokens': [
        ['usage_object', [input_details, 'cached_tokens']],
        ['usage_object', ['cache_read_input_tokens']],
        ['additional_usage', [input_details, 'cached_tokens']],
        ['additional_usage', ['cache_read_input_tokens']],
    ],
    'cache_write_tokens': [
        ['usage_object', [input_details, 'cache_write_tokens']],
        ['usage_object', [input_details, 'cache_creation_tokens']],
        ['usage_object', ['cache_creation_input_tokens']],
        ['additional_usage', ['cache_creation_input_tokens']],
    ],
    'cache_write_1h_tokens': [
        ['usage_object', [input_details, 'cache_creation_token_details', 'ephemeral_1h_input_tokens']],
    ],
    'reasoning_tokens': [['usage_object', [output_details, 'reasoning_tokens']]],
    'input_audio_tokens': [['usage_object', [input_details, 'audio_tokens']]],
    'output_audio_tokens': [['usage_object', [output_details, 'audio_tokens']]],
    'input_image_tokens': [['usage_object', [input_details, 'image_tokens']]],
    'output_image_tokens': [['usage_object', [output_details, 'image_tokens']]],
    'web_search_requests': [
        ['usage_object', [input_details, 'web_search_requests']],
        ['usage_object', ['server_tool_use', 'web_search_requests']],
    ],
} %}

{% set part_texts = [] %}
{% for part, places in parts.items() %}
{% set values = [] %}
{% for object, keys in places %}{% do values.append(json_value(object, keys) | trim) %}{% endfor %}
{% do part_texts.append((
        'coalesce(\n            ' ~ values | join(',\n            ') ~ '\n        )' if values | length > 1 else values[0]
) ~ ' as ' ~ part ~ '_text') %}
{% endfor %}

{% set reads = [
    'get_responses', 'delete_responses', 'cancel_responses', 'list_input_items', 'vector_store_create',
    'vector_store_retrieve', 'vector_store_list', 'vector_store_update', 'vector_store_delete', 'vector_store_file_create',
    'vector_store_file_list', 'vector_store_file_retrieve', 'vector_store_file_content', 'vector_store_file_update',
    'vector_store_file_delete',
] %}
-- These carry usage in one row alone, which LiteLLM writes when a batch is done.
{% set batch_steps = [
    'create_batch', 'retrieve_batch', 'cancel_batch', 'list_batches', 'create_file', 'file_retrieve', 'file_content',
    'file_delete', 'file_list',
] %}

{% set call_types_left_out = reads + ['call_mcp_tool', 'list_mcp_tools'] %}
{% for call_type in reads %}{% do call_types_left_out.append('a' ~ call_type) %}{% endfor %}
{% set batch_call_types = batch_steps | list %}
{% for call_type in batch_steps %}{% do batch_call_types.append('a' ~ call_type) %}{% endfor %}

with spend_logs as (

    select * from {{ source('litellm', 'spend_logs') }}

),

opened as (

    select
        *,
        {{ json_value('metadata', 'usage_object') }} as usage_object,
        {{ json_value('metadata', 'additional_usage_values') }} as additional_usage,
        {{ json_value('metadata', 'spend_logs_metadata') }} as callers_metadata,
        {% if is_landed -%}
        coalesce({{ json_value('metadata', 'error_information') }}, error_information) as error_details,
        coalesce(litellm_call_id, {{ json_value('metadata', 'litellm_call_id') }}) as call_id,
        coalesce({{ count_or_null(json_value('metadata', 'attempted_retries') | trim) }}, attempted_retries) as retries,
        coalesce(
            {{ count_or_null(json_value('metadata', 'attempted_fallbacks') | trim) }}, attempted_fallbacks
        ) as fallbacks,
        coalesce(
            {{ json_value('metadata', ['cost_breakdown', 'service_tier']) }}, service_tier
        ) as billed_service_tier,
        {%- else -%}
        {{ json_value('metadata', 'error_information') }} as error_details,
        {{ json_value('metadata', 'litellm_call_id') }} as call_id,
        {{ count_or_null(json_value('metadata', 'attempted_retries') | trim) }} as retries,
        {{ count_or_null(json_value('metadata', 'attempted_fallbacks') | trim) }} as fallbacks,
        {{ json_value('metadata', ['cost_breakdown', 'service_tier']) }} as billed_service_tier,
        {%- endif %}
        coalesce(status, {{ json_value('metadata', 'status') }}, 'success') = 'failure' as has_failed,
        {{ lower_case("coalesce(cache_hit, '')") }} = 'true' as is_cache_hit
    from spend_logs

),

described as (

    select
        *,
        coalesce(nullif(nullif(request_id, ''), 'None'), call_id) as row_id,
        {{ json_value('error_details', 'error_code') }} as error_code,
        {{ json_value('error_details', 'error_class') }} as error_class,
        {{ json_value('error_details', 'llm_provider') }} as failed_provider,
        not has_failed and not is_cache_hit and prompt_tokens + completion_tokens > 0 as is_usage_known,
        {{ part_texts | join(',\n        ') }}
    from opened

),

counted as (

    select
        *,
        {% for part in parts -%}
        case when is_usage_known then {{ count_or_null(part ~ '_text') }} end as {{ part }},
        {% endfor -%}
        is_usage_known and (
            {% for part in parts -%}
            ({{ part }}_text is not null and {{ count_or_null(part ~ '_text') }} is null){{ ' or' if not loop.last }}
            {% endfor %}
        ) as is_unreadable,
        -- releases from 1.65 to 1.77 put Anthropic's cache reads into the prompt tokens, but not its cache writes; the
        -- release after them was the first to list the writes among the parts of the prompt
        coalesce(
            {{ lower_case('custom_llm_provider') }} = 'anthropic'
            and {{ json_value('usage_object', 'cache_creation_input_tokens') }} is not null
            and {{ json_value('usage_object', [input_details, 'cache_creation_tokens']) }} is null
            and {{ json_value('usage_object', [input_details, 'cache_write_tokens']) }} is null
            and {{ json_value('usage_object', [input_details, 'text_tokens']) }} is null,
            false
        ) as is_prompt_without_writes
    from described

),

calls as (

    select
        row_id as event_id,
        case
            -- LiteLLM's own ids: a uuid, alone or behind a prefix, or a longer text that it made of the provider's
            when
                not has_failed and not is_cache_hit
                and row_id != coalesce(call_id, '')
                and row_id not like '%________-____-____-____-____________'
                and row_id not like '%_batch_cost'
                and {{ text_length('row_id') }} < 64
                then row_id
        end as response_id,
        case
            when call_id like '%-attempt-_' then {{ text_part('call_id', 1, text_length('call_id') ~ ' - 10') }}
            when call_id like '%-attempt-__' then {{ text_part('call_id', 1, text_length('call_id') ~ ' - 11') }}
            else call_id
        end as external_request_id,
        retries + coalesce(fallbacks, 0) + 1 as attempt_number,
        {% if var('litellm_uuid_sessions', false) -%}
        nullif(session_id, '') as run_id,
        {%- else -%}
        -- without a session of the caller's, LiteLLM makes one up for each request: a random uuid
        case when session_id not like '________-____-4___-____-____________' then nullif(session_id, '') end as run_id,
        {%- endif %}
        {{ started_at }} as started_at,
        nullif(custom_llm_provider, '') as provider,
        nullif(case
            when
                custom_llm_provider != ''
                and {{ dbt.position(dbt.concat(['custom_llm_provider', "'/'"]), 'model') }} = 1
                and model not like '%/converse/%' and model not like '%/invoke/%'
                then {{ text_part('model', text_length('custom_llm_provider') ~ ' + 2') }}
            else model
        end, '') as model,
        coalesce(
            {{ json_value('metadata', 'original_model_group') }}, nullif(model_group, '')
        ) as requested_model,
        case
            when call_type in ('aretrieve_batch', 'retrieve_batch') then 'batch'
            else coalesce(billed_service_tier, {{ json_value('usage_object', 'service_tier') }})
        end as service_tier,
        {{ json_value('usage_object', 'inference_geo') }} as region,
        {{ json_value('usage_object', 'speed') }} as speed,
        case
            when not has_failed then 'success'
            when error_code = '429' or error_class = 'RateLimitError' then 'rate_limited'
            when error_code in ('408', '504') or error_class = 'Timeout' then 'timeout'
            when error_code = '499' then 'cancelled'
            else 'error'
        end as status,
        case when has_failed then coalesce(nullif(error_code, ''), nullif(error_class, '')) end as error_code,
        -- a failure after retries, and each attempt that timed out, has the times of the whole request
        case
            when not has_failed or (coalesce(retries, 0) = 0 and coalesce(call_id, '') not like '%-attempt-%')
                then {{ milliseconds_between(started_at, ended_at) }}
        end as latency_ms,
        is_cache_hit as cache_hit,
        {{ first_json_value('callers_metadata', ['endpoint_tag', 'endpoint']) }} as endpoint_tag,
        {{ json_value('callers_metadata', 'prompt_version') }} as prompt_version,
        {{ first_json_value('callers_metadata', ['feature_name', 'feature']) }} as feature_name,
        {{ json_value('callers_metadata', 'agent_id') }} as agent_id,
        {{ json_value('callers_metadata', 'workflow_id') }} as workflow_id,
        {{ json_value('callers_metadata', 'cost_group') }} as cost_group,
        {{ json_value('callers_metadata', 'environment') }} as environment,
        coalesce(
            {{ json_value('callers_metadata', 'tenant_id') }},
            {{ json_value('callers_metadata', 'tenant') }},
            nullif(end_user, '')
        ) as tenant_id,
        coalesce(
            {{ json_value('callers_metadata', 'user_id') }},
            nullif(end_user, ''),
            nullif(nullif({{ key_user }}, ''), 'default_user_id')
        ) as user_id,
        case
            when api_key = 'litellm-internal-health-check'
                or {{ json_value('metadata', 'internal_call_origin') }} is not null
                then 'service'
        end as user_type,
        nullif(team_id, '') as team,
        {{ json_value('metadata', 'user_api_key_project_id') }} as project_id,
        nullif(api_key, '') as api_key_id,
        case
            when is_cache_hit then 0
            when is_usage_known
                then prompt_tokens + case when is_prompt_without_writes then coalesce(cache_write_tokens, 0) else 0 end
        end as input_tokens,
        case
            when is_cache_hit then 0
            when is_usage_known then completion_tokens
        end as output_tokens,
        {{ parts | join(',\n        ') }},
        case
            when is_cache_hit then 0
            when has_failed and spend = 0 then 0
            when not has_failed and spend != 0 then {{ money('spend') }}
        end as reported_cost_usd,
        {{ dbt.concat([
            "'{\"request_tags\": '", "coalesce(nullif(cast(request_tags as " ~ dbt.type_string() ~ "), ''), 'null')",
            "', \"spend_logs_metadata\": '", "coalesce(callers_metadata, 'null')", "'}'",
        ]) }} as tags,
        {% if is_landed -%}
        _loaded_at,
        {%- else -%}
        {{ ended_at }} as _loaded_at,
        {%- endif %}
        is_unreadable,
        {% for column in place_columns() -%}
        {{ column }},
        {% endfor -%}
        case
            -- refused by the proxy itself: nothing was asked of a provider
            when has_failed and coalesce(api_base, '') = '' and coalesce(failed_provider, '') = '' then 'not_a_call'
            when call_type in {{ sql_list(call_types_left_out) }} then 'not_a_call'
            when not is_usage_known and call_type in {{ sql_list(batch_call_types) }} then 'not_a_call'
        end as left_out_reason
    from counted

),

final as (

    select
        {{ staged_columns([
            'event_id', 'response_id', 'external_request_id', 'attempt_number', 'run_id', 'started_at', 'provider', 'model',
            'requested_model', 'service_tier', 'region', 'speed', 'status', 'error_code', 'latency_ms', 'cache_hit',
            'endpoint_tag', 'prompt_version', 'feature_name', 'agent_id', 'workflow_id', 'cost_group', 'environment',
            'tenant_id', 'user_id', 'user_type', 'team', 'project_id', 'api_key_id', 'input_tokens', 'output_tokens',
            'cached_input_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'reasoning_tokens',
            'input_audio_tokens', 'output_audio_tokens', 'input_image_tokens', 'output_image_tokens',
            'web_search_requests', 'reported_cost_usd', 'tags', '_loaded_at', 'is_unreadable', 'left_out_reason',
        ]) }}
    from calls

)

select * from final
