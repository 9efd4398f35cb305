-- The one wide table: every accepted call, what it cost and at which price. All other marts add up from here.

{{ replaces_days(day='usage_date_utc', days='int_touched_days') }}

-- depends_on: {{ ref('int_touched_days') }}
-- depends_on: {{ ref('int_costs_before') }}

with attempts as (

    select * from {{ ref('int_attempts_priced') }}

),

final as (

    select
        -- identity
        source,
        event_id,
        response_id,
        request_key,
        request_date_utc,
        external_request_id,
        call_name,
        call_ordinal,
        attempt_number,
        run_id,
        is_first_attempt,
        is_retry,
        is_useful,
        ms_since_previous_attempt,

        -- when
        started_at,
        usage_date_utc,
        usage_date,
        usage_hour,

        -- the call
        coalesce(nullif(provider, ''), priced_provider_id, {{ unattributed() }}) as provider,
        model,
        requested_model,
        service_tier,
        region,
        speed,
        status,
        error_code,
        task_succeeded,
        latency_ms,
        cache_hit,

        -- what it was for, and whom
        tenant_id,
        user_id,
        user_type,
        team,
        project_id,
        api_key_id,
        endpoint_tag,
        prompt_version,
        feature_name,
        agent_id,
        workflow_id,
        cost_group,
        environment,
        data_mode,
        is_in_scope,

        -- quantities
        input_tokens,
        output_tokens,
        total_tokens,
        cached_input_tokens,
        cache_write_tokens,
        cache_write_1h_tokens,
        reasoning_tokens,
        input_audio_tokens,
        output_audio_tokens,
        input_image_tokens,
        output_image_tokens,
        cached_audio_tokens,
        cached_image_tokens,
        web_search_requests,
        other_usage,

        -- price and cost
        priced_provider_id,
        priced_model_id,
        price_id,
        cost_status,
        cost_source,
        {%- for usage_type in text_usage_types() %}
        {{ usage_type }}_cost_usd,
        {%- endfor %}
        other_cost_usd,
        cache_savings_usd,
        list_cost_usd,
        cost_usd,
        case when not is_useful then cost_usd else {{ money('0') }} end as wasted_cost_usd,
        reported_cost_usd,

        -- the log itself
        sample_rate,
        tags,
        deliveries,
        day_version,
        _loaded_at
    from attempts

)

select * from final
