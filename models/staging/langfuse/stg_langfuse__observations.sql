-- Langfuse's observations. Its counters stand beside each other, so what is cached or reasoned is added to input and
-- output; some writers count it twice, which the total tells. A call that stands above other calls repeats them.

{{ config(enabled='langfuse' in usage_sources(), materialized=shared_step()) }}

{% set counters = langfuse_counters() %}
{% set known_keys = counters.values() | sum(start=[]) %}
{% set number = '-?[0-9]+' %}
{% set any_counter = '"[^"]*" *: *("?' ~ number ~ '"?|null)' %}
{% set known_counter = '("(' ~ known_keys | join('|') ~ ')" *: *"?' ~ number ~ '"?|"[^"]*" *: *("?0"?|null))' %}
{% set only_counters = "'^ *[{] *" ~ any_counter ~ '( *, *' ~ any_counter ~ ")* *[}] *$'" %}
{% set only_known_counters = "'^ *[{] *" ~ known_counter ~ '( *, *' ~ known_counter ~ ")* *[}] *$'" %}
{% set nineteen_digits = "'" ~ '[0-9]' * 19 ~ "'" %}
{% set too_often = "'(^|[^0-9])429([^0-9]|$)|rate[ _-]?limit|too many requests|quota exceeded'" %}
{% set too_late = "'timed[ _-]?out|time[ _-]?out|deadline exceeded|(^|[^0-9])(408|504)([^0-9]|$)'" %}
-- a call is found below a call through so many observations of other kinds and one more
{% set levels_below = 5 %}

with observations as (

    select
        *,
        nullif(parent_observation_id, '') as parent_id,
        nullif(nullif(usage_details, ''), '{}') as usage_text,
        nullif(nullif(cost_details, ''), '{}') as cost_text,
        nullif(metadata, '') as metadata_text,
        nullif(model_parameters, '') as parameters_text,
        {{ lower_case("coalesce(status_message, '')") }} as message,
        type in ('GENERATION', 'EMBEDDING') as is_call
    from {{ source('langfuse', 'observations') }}

),

deletions as (

    select
        id as deleted_id,
        max(updated_at) as deleted_at
    from observations
    where is_deleted
    group by id

),

counted as (

    select
        *,
        {% for counter, keys in counters.items() if counter != 'ignored' -%}
        {{ json_counts('usage_text', keys) }} as {{ counter }}_count,
        {% endfor -%}
        {{ count_or_null(json_value('usage_text', 'total')) }} as total_count
    from observations

),

sides as (

    select
        *,
        cached_count + cached_audio_count as reads,
        written_count + written_1h_count as writes,
        fresh_count + cached_count + cached_audio_count + written_count + written_1h_count + input_audio_count
        + input_image_count as all_input,
        plain_output_count + reasoning_count + output_audio_count + output_image_count as all_output
    from counted

),

compared as (

    select
        *,
        case
            when total_count < all_input + all_output
                then all_input + all_output - total_count
            else 0
        end as excess
    from sides

),

measured as (

    select
        *,
        excess in (reads, writes, reads + writes) as is_excess_of_cache,
        all_input + all_output > 0 or coalesce(total_count, 0) = 0 as is_split_known
    from compared

),

-- Whose parts are walked on to: a call with usage ends the way down.
parts as (

    select distinct
        trace_id,
        parent_id,
        usage_text is not null and is_call as is_used_call,
        case when usage_text is null or not is_call then id end as next_id
    from observations
    where
        parent_id is not null
        and not coalesce(is_deleted, false)

),

repeats as (

    select distinct
        upper_calls.trace_id as repeat_trace_id,
        upper_calls.id as repeat_id
    from observations as upper_calls
    inner join parts as parts_1
        on upper_calls.trace_id = parts_1.trace_id
        and upper_calls.id = parts_1.parent_id
    {%- for level in range(2, levels_below + 1) %}
    left join parts as parts_{{ level }}
        on parts_{{ level - 1 }}.trace_id = parts_{{ level }}.trace_id
        and parts_{{ level - 1 }}.next_id = parts_{{ level }}.parent_id
    {%- endfor %}
    where
        upper_calls.is_call
        and (
            {% for level in range(1, levels_below + 1) -%}
            {{ 'or ' if not loop.first }}coalesce(parts_{{ level }}.is_used_call, false)
            {% endfor %}
        )

),

traces as (

    select
        trace_id as known_trace_id,
        trace_name as name_of_trace,
        user_id as trace_user_id,
        session_id as trace_session_id,
        tags as trace_tags,
        release_name as trace_release,
        environment as trace_environment,
        tenant_id as trace_tenant_id,
        feature_name as trace_feature_name,
        endpoint_tag as trace_endpoint_tag
    from {{ ref('stg_langfuse__traces') }}

),

described as (

    select
        measured.*,
        deletions.deleted_at,
        repeats.repeat_id,
        coalesce(nullif(measured.user_id, ''), traces.trace_user_id) as known_user_id,
        coalesce(nullif(measured.session_id, ''), traces.trace_session_id) as known_session_id,
        coalesce(nullif(nullif(measured.tags, ''), '[]'), traces.trace_tags) as known_tags,
        coalesce(nullif(measured.trace_name, ''), traces.name_of_trace) as known_trace_name,
        coalesce(nullif(measured.release, ''), traces.trace_release) as known_release,
        coalesce(nullif(measured.environment, ''), traces.trace_environment) as known_environment,
        {{ json_value('measured.parameters_text', 'system') }} as api,
        {{ json_value('measured.parameters_text', 'service_tier') }} as known_service_tier,
        {{ json_value('measured.metadata_text', 'attributes') }} as attributes,
        {{ json_value('measured.metadata_text', 'cache_hit') }} as cache_answered,
        coalesce({{ json_value('measured.metadata_text', 'tenant') }}, traces.trace_tenant_id) as known_tenant_id,
        coalesce({{ json_value('measured.metadata_text', 'feature') }}, traces.trace_feature_name)
            as known_feature_name,
        coalesce({{ json_value('measured.metadata_text', 'endpoint') }}, traces.trace_endpoint_tag)
            as known_endpoint_tag
    from measured
    left join traces
        on measured.trace_id = traces.known_trace_id
    left join deletions
        on measured.id = deletions.deleted_id
    left join repeats
        on measured.trace_id = repeats.repeat_trace_id
        and measured.id = repeats.repeat_id

),

judged as (

    select
        *,
        usage_text is null or (
            {{ regex_matches('usage_text', only_counters) }}
            and not {{ regex_matches('usage_text', nineteen_digits) }}
        ) as is_readable,
        case when excess > 0 and is_excess_of_cache and fresh_count >= excess then excess else 0 end as input_excess,
        {{ text_between('status_message', 'Error code: ', ' ') }} as message_code,
        {{ money_or_null(json_value('cost_text', 'total')) }} as detailed_cost
    from described

),

calls as (

    select
        id as event_id,
        -- LiteLLM names its observations after the answer: time-10-15-30-123456_ID
        coalesce(
            nullif({{ text_between('attributes', '"gen_ai.response.id":"', '"') }}, ''),
            case
                when id like 'time-__-__-__-%' and {{ text_part('id', 21, 1) }} = '_'
                    then nullif({{ text_part('id', 22) }}, '')
            end
        ) as response_id,
        start_time as started_at,
        case
            when api like 'amazon-bedrock%' then 'bedrock'
            when api like 'google.vertex%' or api like 'google-vertex%' then 'vertex'
            when api like 'google.%' then 'google'
            when api like 'azure%' then 'azure'
            when api like 'openai.%' then 'openai'
            when api like 'anthropic.%' then 'anthropic'
            -- names of embedding models that the rules of the price book do not know
            when provided_model_name like 'text-embedding-3-%' or provided_model_name like 'text-embedding-ada-%'
                then 'openai'
        end as provider,
        nullif(provided_model_name, '') as model,
        known_service_tier as service_tier,
        trace_id as run_id,
        -- calls of one name under one parent are one request until one of them succeeds
        case when nullif(name, '') is not null then parent_id end as external_request_id,
        nullif(name, '') as call_name,
        coalesce(known_endpoint_tag, nullif(prompt_name, ''), known_trace_name, nullif(name, '')) as endpoint_tag,
        case when prompt_name != '' then nullif(nullif(prompt_version, ''), '0') end as prompt_version,
        known_trace_name as workflow_id,
        coalesce(known_feature_name, nullif({{ text_between('known_tags', '"feature:', '"') }}, '')) as feature_name,
        coalesce(known_tenant_id, nullif({{ text_between('known_tags', '"tenant:', '"') }}, '')) as tenant_id,
        known_user_id as user_id,
        -- any word may be an environment: one that is none of ours is production, and kept in the tags
        case
            when {{ lower_case('known_environment') }} in ('staging', 'stage', 'preview', 'uat', 'qa') then 'staging'
            when {{ lower_case('known_environment') }} in ('development', 'dev', 'local', 'test', 'testing', 'ci')
                then 'dev'
        end as environment,
        case when usage_text is not null and is_split_known then all_input - input_excess end as input_tokens,
        case when usage_text is not null and is_split_known then all_output end as output_tokens,
        -- a total alone says how much there was, one that is too small what is wrong
        case when not is_split_known or (excess > 0 and not is_excess_of_cache) then total_count end as total_tokens,
        reads + cached_inside_count as cached_input_tokens,
        writes as cache_write_tokens,
        written_1h_count as cache_write_1h_tokens,
        reasoning_count as reasoning_tokens,
        input_audio_count + cached_audio_count as input_audio_tokens,
        cached_audio_count as cached_audio_tokens,
        output_audio_count as output_audio_tokens,
        input_image_count as input_image_tokens,
        output_image_count as output_image_tokens,
        nullif(web_search_count, 0) as web_search_requests,
        -- quarantined with its counters, for what is behind an unknown name may cost
        case
            when is_readable and not {{ regex_matches('usage_text', only_known_counters) }}
                then usage_text
        end as other_usage,
        coalesce({{ lower_case('cache_answered') }} = 'true', false) as cache_hit,
        case
            when level is null or level != 'ERROR' then 'success'
            when {{ regex_matches('message', too_often) }} then 'rate_limited'
            when {{ regex_matches('message', too_late) }} then 'timeout'
            else 'error'
        end as status,
        case
            when level = 'ERROR' and {{ regex_matches("coalesce(message_code, '')", "'^[0-9][0-9][0-9]$'") }}
                then message_code
        end as error_code,
        case when end_time >= start_time then {{ milliseconds_between('start_time', 'end_time') }} end as latency_ms,
        -- 0 without details is what Langfuse shows for a model that it has no price of
        case
            when cost_text is not null
                then coalesce(cast(total_cost as {{ type_money() }}), detailed_cost)
            when total_cost > 0
                then cast(total_cost as {{ type_money() }})
        end as reported_cost_usd,
        {{ dbt.concat([
            "'{\"environment\": '", "coalesce(" ~ json_text('known_environment') ~ ", 'null')",
            "', \"release\": '", "coalesce(" ~ json_text('known_release') ~ ", 'null')",
            "', \"session\": '", "coalesce(" ~ json_text('known_session_id') ~ ", 'null')",
            "', \"tags\": '", "coalesce(case when known_tags like '[%]' then known_tags else "
            ~ json_text('known_tags') ~ " end, 'null')",
            "'}'",
        ]) }} as tags,
        updated_at as _loaded_at,
        is_readable = false as is_unreadable,
        {% for column in place_columns() -%}
        {{ column }},
        {% endfor -%}
        case
            when not is_call then 'not_a_call'
            when deleted_at is not null and coalesce(updated_at, deleted_at) <= deleted_at then 'deleted'
            when repeat_id is not null then 'repeats_its_parts'
            when
                end_time is null
                and usage_text is null
                and coalesce(level, '') != 'ERROR'
                then 'not_answered_yet'
        end as left_out_reason
    from judged

),

final as (

    select
        {{ staged_columns([
            'event_id', 'response_id', 'started_at', 'provider', 'model', 'service_tier', 'run_id', 'external_request_id',
            'call_name', 'endpoint_tag', 'prompt_version', 'workflow_id', 'feature_name', 'tenant_id', 'user_id',
            'environment', 'input_tokens', 'output_tokens', 'total_tokens', 'cached_input_tokens', 'cache_write_tokens',
            'cache_write_1h_tokens', 'reasoning_tokens', 'input_audio_tokens', 'cached_audio_tokens',
            'output_audio_tokens', 'input_image_tokens', 'output_image_tokens', 'web_search_requests', 'other_usage',
            'cache_hit', 'status', 'error_code', 'latency_ms', 'reported_cost_usd', 'tags', '_loaded_at',
            'is_unreadable', 'left_out_reason',
        ]) }}
    from calls

)

select * from final
