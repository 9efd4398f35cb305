-- One name for whom and what a call was for: aliases keep a renamed tenant's or endpoint's history together, the key
-- registry fills what the event left open, and what nobody named is `(unattributed)`.

{{ config(materialized=shared_step()) }}

with events as (

    select
        {{ columns_of('events', event_columns() + ['deliveries']) }},
        touched_days.day_version
    from {{ ref('int_usage_events_deduplicated') }} as events
    inner join {{ ref('int_touched_days') }} as touched_days
        on cast(events.started_at as date) = touched_days.usage_date_utc
    {%- if calls_may_repeat() %}
    left join {{ ref('int_calls_matched') }} as matches
        on events.source = matches.source
        and events.event_id = matches.event_id
    where matches.event_id is null
    {%- endif %}

),

identity_aliases as (

    select * from {{ ref('stg_config__identity_aliases') }}

),

named as (

    select
        {{ columns_of('events', event_columns() + ['deliveries', 'day_version']) }},
        coalesce(tenant_aliases.canonical_id, events.tenant_id, {{ unattributed() }}) as canonical_tenant_id,
        coalesce(user_aliases.canonical_id, events.user_id, {{ unattributed() }}) as canonical_user_id,
        coalesce(endpoint_aliases.endpoint_tag, events.endpoint_tag, {{ unattributed() }}) as canonical_endpoint_tag,
        coalesce(
            events.user_type,
            user_aliases.user_type,
            case when events.user_id is null then 'anonymous' else 'human' end
        ) as known_user_type,
        coalesce(events.team, key_registry.team, {{ unattributed() }}) as known_team,
        coalesce(events.project_id, key_registry.project_id, {{ unattributed() }}) as known_project_id,
        coalesce(events.environment, key_registry.environment, 'prod') as known_environment
    from events
    left join identity_aliases as tenant_aliases
        on events.tenant_id = tenant_aliases.alias
        and tenant_aliases.identity_type = 'tenant'
    left join identity_aliases as user_aliases
        on events.user_id = user_aliases.alias
        and user_aliases.identity_type = 'user'
    left join {{ ref('stg_config__endpoint_aliases') }} as endpoint_aliases
        on events.endpoint_tag = endpoint_aliases.alias
    left join {{ ref('stg_config__key_registry') }} as key_registry
        on events.api_key_id = key_registry.api_key_id

),

final as (

    select
        source,
        event_id,
        response_id,
        external_request_id,
        call_name,
        attempt_number,
        run_id,
        started_at,
        cast(started_at as date) as usage_date_utc,
        {{ dbt.date_trunc('hour', in_reporting_timezone('started_at')) }} as usage_hour,
        cast({{ in_reporting_timezone('started_at') }} as date) as usage_date,
        coalesce(provider, '') as provider,
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
        canonical_tenant_id as tenant_id,
        canonical_user_id as user_id,
        known_user_type as user_type,
        canonical_endpoint_tag as endpoint_tag,
        coalesce(prompt_version, {{ unattributed() }}) as prompt_version,
        coalesce(feature_name, {{ unattributed() }}) as feature_name,
        coalesce(agent_id, {{ unattributed() }}) as agent_id,
        coalesce(workflow_id, {{ unattributed() }}) as workflow_id,
        coalesce(cost_group, {{ unattributed() }}) as cost_group,
        known_team as team,
        known_project_id as project_id,
        coalesce(api_key_id, {{ unattributed() }}) as api_key_id,
        known_environment as environment,
        data_mode,
        known_environment = 'prod' and data_mode = 'real' as is_in_scope,
        input_tokens,
        output_tokens,
        coalesce(total_tokens, input_tokens + output_tokens) as total_tokens,
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
        reported_cost_usd,
        sample_rate,
        tags,
        day_version,
        deliveries,
        _loaded_at
    from named

)

select * from final
