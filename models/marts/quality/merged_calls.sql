-- What several logs said about the same call: the record that counts is among the attempts, each of the others here.

{{ replaces_days(day='usage_date_utc', days='int_touched_days') }}

-- depends_on: {{ ref('int_touched_days') }}

with final as (

    select
        cast(events.started_at as date) as usage_date_utc,
        events.source as source,
        events.event_id as event_id,
        matches.kept_source,
        matches.kept_event_id,
        matches.matched_by,
        events.started_at,
        events.provider,
        events.model,
        events.status,
        events.input_tokens,
        events.output_tokens,
        events.reported_cost_usd,
        events.deliveries
    from {{ ref('int_usage_events_deduplicated') }} as events
    inner join {{ ref('int_touched_days') }} as touched_days
        on cast(events.started_at as date) = touched_days.usage_date_utc
    inner join {{ ref('int_calls_matched') }} as matches
        on events.source = matches.source
        and events.event_id = matches.event_id

)

select * from final
