-- Claude Code writes a line for each block of an answer, copies lines into the session that goes on from another, and
-- lets subagents repeat those of their parent. Of a message the line with the most output says what it used.

{{ config(enabled='claude_code' in usage_sources(), materialized=shared_step()) }}

with lines as (

    select
        *,
        coalesce(nullif(message_id, ''), uuid) as event_id,
        coalesce(is_sidechain, false) as is_of_subagent,
        coalesce(is_api_error_message, false) as is_failure,
        coalesce(ephemeral_5m_input_tokens, 0) + coalesce(ephemeral_1h_input_tokens, 0) as tokens_by_lifetime,
        max(logged_at) over (partition by session_id) as session_ended_at
    from {{ source('claude_code', 'messages') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by event_id
            order by
                is_of_subagent asc,
                coalesce(output_tokens, 0) desc,
                session_ended_at asc,
                logged_at desc,
                session_id asc,
                uuid asc
        ) as line_rank
    from lines

),

calls as (

    select
        event_id,
        case when model != '<synthetic>' then message_id end as response_id,
        logged_at as started_at,
        case
            when model like '%anthropic.%' then 'bedrock'
            when model like 'claude-%@%' then 'vertex'
            else 'anthropic'
        end as provider,
        nullif(model, '') as model,
        service_tier,
        case
            when {{ lower_case('inference_geo') }} not in ('', 'global', 'not_available')
                then inference_geo
        end as region,
        case when {{ lower_case('speed') }} not in ('', 'standard') then speed end as speed,
        session_id as run_id,
        'claude-code' as endpoint_tag,
        case when is_of_subagent then 'subagent' else 'main' end as agent_id,
        nullif(git_branch, '') as feature_name,
        nullif(cwd, '') as project_id,
        nullif(user_id, '') as user_id,
        input_tokens,
        output_tokens,
        thinking_tokens as reasoning_tokens,
        cache_read_input_tokens as cached_input_tokens,
        -- old clients write one number, and some gateways leave the lifetimes at 0
        case
            when tokens_by_lifetime > coalesce(cache_creation_input_tokens, 0) then tokens_by_lifetime
            else cache_creation_input_tokens
        end as cache_write_tokens,
        ephemeral_1h_input_tokens as cache_write_1h_tokens,
        nullif(web_search_requests, 0) as web_search_requests,
        case
            when not is_failure then 'success'
            when api_error_status = 429 or error = 'rate_limit' then 'rate_limited'
            when api_error_status in (408, 504) or error = 'timeout' then 'timeout'
            else 'error'
        end as status,
        case
            when is_failure then coalesce(cast(api_error_status as {{ dbt.type_string() }}), nullif(error, ''))
        end as error_code,
        cost_usd as reported_cost_usd,
        {{ dbt.concat([
            "'{\"request_id\": '", "coalesce(" ~ json_text('request_id') ~ ", 'null')",
            "', \"version\": '", "coalesce(" ~ json_text('version') ~ ", 'null')",
            "', \"entrypoint\": '", "coalesce(" ~ json_text('entrypoint') ~ ", 'null')",
            "', \"agent\": '", "coalesce(" ~ json_text('agent_id') ~ ", 'null')",
            "'}'",
        ]) }} as tags,
        {{ '_loaded_at' if place_columns() else 'logged_at' }} as _loaded_at,
        false as _input_includes_cache,
        {% for column in place_columns() -%}
        {{ column }},
        {% endfor -%}
        case
            when type != 'assistant' then 'not_a_call'
            -- a line that the client wrote in the model's place
            when model = '<synthetic>' and not is_failure then 'not_a_call'
            when input_tokens is null and output_tokens is null and not is_failure then 'not_a_call'
            when line_rank > 1 then 'repeats_a_message'
        end as left_out_reason
    from ranked

),

final as (

    select
        {{ staged_columns([
            'event_id', 'response_id', 'started_at', 'provider', 'model', 'service_tier', 'region', 'speed', 'run_id',
            'endpoint_tag', 'agent_id', 'feature_name', 'project_id', 'user_id', 'input_tokens', 'output_tokens',
            'reasoning_tokens', 'cached_input_tokens', 'cache_write_tokens', 'cache_write_1h_tokens',
            'web_search_requests', 'status', 'error_code', 'reported_cost_usd', 'tags', '_loaded_at',
            '_input_includes_cache', 'left_out_reason',
        ]) }}
    from calls

)

select * from final
