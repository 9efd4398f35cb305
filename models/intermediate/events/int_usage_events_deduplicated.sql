-- The same event_id again is a redelivery: the last one landed is the truth, and the count says how many there were.
-- Only ids that came more than once are ranked, for ranking all rows costs more than all the rest.

with repeated_ids as (

    select
        source,
        event_id
    from {{ ref('int_usage_events_unioned') }}
    group by source, event_id
    having count(*) > 1

),

ranked as (

    select
        deliveries.*,
        row_number() over (
            partition by deliveries.source, deliveries.event_id
            order by deliveries._loaded_at desc, deliveries._row_hash desc
        ) as delivery_rank,
        cast(sum(deliveries.deliveries) over (
            partition by deliveries.source, deliveries.event_id
        ) as {{ dbt.type_bigint() }}) as all_deliveries
    from {{ ref('int_usage_events_unioned') }} as deliveries
    inner join repeated_ids
        on deliveries.source = repeated_ids.source
        and deliveries.event_id = repeated_ids.event_id

),

events as (

    select
        deliveries.{{ event_columns() | join(',\n        deliveries.') }},
        deliveries.deliveries
    from {{ ref('int_usage_events_unioned') }} as deliveries
    left join repeated_ids
        on deliveries.source = repeated_ids.source
        and deliveries.event_id = repeated_ids.event_id
    where repeated_ids.event_id is null

    union all

    select
        {{ event_columns() | join(',\n        ') }},
        all_deliveries as deliveries
    from ranked
    where delivery_rank = 1

),

final as (

    select
        events.*,
        touched_days.day_version
    from events
    inner join {{ ref('int_touched_days') }} as touched_days
        on cast(events.started_at as date) = touched_days.usage_date_utc

)

select * from final
