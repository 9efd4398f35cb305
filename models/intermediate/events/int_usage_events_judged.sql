-- The rows of all logs, judged alike. Token counts leave here in one inclusive form (cached inside input, reasoning
-- inside output), whatever the log's own form was. A row that contradicts itself keeps its numbers and gets a reason:
-- nothing is clamped.

{% set part_counts = [
    'cached_input_tokens', 'cache_write_tokens', 'cache_write_1h_tokens', 'reasoning_tokens', 'input_audio_tokens',
    'output_audio_tokens', 'input_image_tokens', 'output_image_tokens', 'cached_audio_tokens', 'cached_image_tokens',
] %}
{% set counts = ['input_tokens', 'output_tokens', 'total_tokens', 'web_search_requests', 'latency_ms'] + part_counts %}

{% set of_an_app = {
    'response_id': 'cast(null as ' ~ dbt.type_string() ~ ') as response_id',
    'left_out_reason': 'cast(null as ' ~ dbt.type_string() ~ ') as left_out_reason',
    'is_unreadable': 'false as is_unreadable',
} %}

with staged as (

    {% for source in usage_sources() -%}
    {%- set columns = [] -%}
    {%- for column in staged_types() -%}
    {%- do columns.append(of_an_app.get(column, column) if source == 'app' else column) -%}
    {%- endfor -%}
    select
        '{{ source }}' as source,
        {{ columns | join(',\n        ') }}
    from {{ staged_events(source) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

delivered as (

    select
        *,
        case
            when
                {{ counts | join(' < 0\n                or ') }} < 0
                then 'negative_count'
            when
                {{ counts | join(' > ' ~ max_count() ~ '\n                or ') }} > {{ max_count() }}
                then 'number_too_large'
        end as broken_count
    from staged

),

renamed as (

    select
        -- identity
        source,
        -- what a load could not tell apart by an id is told apart by its content
        coalesce(event_id, _row_hash) as event_id,
        response_id,
        external_request_id,
        call_name,
        attempt_number,
        run_id,

        -- the call
        started_at,
        {{ lower_case('provider') }} as provider,
        model,
        requested_model,
        case
            when service_tier is null or {{ lower_case('service_tier') }} in ('standard', 'auto', 'on_demand')
                then 'default'
            else {{ lower_case('service_tier') }}
        end as service_tier,
        region,
        speed,
        {{ lower_case("coalesce(status, 'success')") }} as status,
        error_code,
        task_succeeded,
        latency_ms,
        coalesce(cache_hit, false) as cache_hit,

        -- what it was for, and whom
        endpoint_tag,
        prompt_version,
        feature_name,
        agent_id,
        workflow_id,
        cost_group,
        tenant_id,
        user_id,
        {{ lower_case('user_type') }} as user_type,
        team,
        project_id,
        api_key_id,
        {{ lower_case('environment') }} as environment,
        {{ lower_case("coalesce(data_mode, 'real')") }} as data_mode,

        -- tokens
        case
            when broken_count is not null
                then input_tokens
            when _input_includes_cache = false and input_tokens is not null
                then input_tokens + coalesce(cached_input_tokens, 0) + coalesce(cache_write_tokens, 0)
            when input_tokens is null and output_tokens is not null and total_tokens >= output_tokens
                then total_tokens - output_tokens
            else input_tokens
        end as input_tokens,
        case
            when broken_count is not null
                then output_tokens
            when _output_includes_reasoning = false and output_tokens is not null
                then output_tokens + coalesce(reasoning_tokens, 0)
            when output_tokens is null and input_tokens is not null and total_tokens >= input_tokens
                then total_tokens - input_tokens
            else output_tokens
        end as output_tokens,
        -- an exclusive total would be smaller than its parts
        case
            when coalesce(_input_includes_cache, true) and coalesce(_output_includes_reasoning, true)
                then total_tokens
        end as total_tokens,
        {{ part_counts | join(',\n        ') }},
        web_search_requests,
        other_usage,

        -- money and the rest
        reported_cost_usd,
        cast(coalesce(sample_rate, 1) as {{ type_unit_price() }}) as sample_rate,
        tags,
        coalesce(_loaded_at, started_at) as _loaded_at,
        _source_file,
        _source_line,
        _row_hash,
        left_out_reason,
        is_unreadable,
        broken_count
    from delivered

),

final as (

    select
        *,
        case
            when left_out_reason is not null
                then left_out_reason
            when started_at is null or model is null or event_id is null
                then 'missing_required_field'
            when is_unreadable
                then 'unreadable_number'
            when broken_count is not null
                then broken_count
            when
                coalesce(cached_input_tokens, 0) + coalesce(cache_write_tokens, 0) > input_tokens
                or coalesce(cache_write_1h_tokens, 0) > coalesce(cache_write_tokens, 0)
                or coalesce(reasoning_tokens, 0) > output_tokens
                or coalesce(input_audio_tokens, 0) + coalesce(input_image_tokens, 0) > input_tokens
                or coalesce(output_audio_tokens, 0) + coalesce(output_image_tokens, 0) > output_tokens
                or coalesce(cached_audio_tokens, 0) + coalesce(cached_image_tokens, 0)
                > coalesce(cached_input_tokens, 0)
                or cached_audio_tokens > input_audio_tokens
                or cached_image_tokens > input_image_tokens
                or coalesce(input_tokens, 0) + coalesce(output_tokens, 0) > total_tokens
                then 'part_larger_than_whole'
            when started_at < cast('2020-01-01' as {{ type_utc_timestamp() }})
                then 'timestamp_before_2020'
            when started_at > {{ add_hours(as_of(), 24) }}
                then 'timestamp_in_future'
            when other_usage is not null and not {{ is_known_usage('other_usage') }}
                then 'unknown_usage_key'
            when status not in {{ sql_list(accepted_statuses()) }}
                then 'unknown_status'
            when environment not in {{ sql_list(accepted_environments()) }}
                then 'unknown_environment'
            when data_mode not in {{ sql_list(accepted_data_modes()) }}
                then 'unknown_data_mode'
            when user_type not in {{ sql_list(accepted_user_types()) }}
                then 'unknown_user_type'
        end as quarantine_reason
    from renamed

)

select * from final
