-- The same event_id again is a redelivery: the last one landed is the truth, and the count says how many there were.
-- Only ids that came more than once are ranked, for ranking all rows costs more than all the rest.

{% set columns = event_columns() %}
{% set place = ['_loaded_at', '_row_hash', '_source_file', '_source_line'] %}

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
        {{ columns_of('events', columns) }},
        cast(sum(events.deliveries) over (
            partition by events.source, events.event_id
        ) as {{ dbt.type_bigint() }}) as deliveries,
        row_number() over (
            partition by events.source, events.event_id
            order by events.{{ place | join(' desc, events.') }} desc
        ) as delivery_rank
    from {{ ref('int_usage_events_unioned') }} as events
    inner join repeated_ids
        on events.source = repeated_ids.source
        and events.event_id = repeated_ids.event_id

),

counted as (

    select
        {{ columns | join(',\n        ') }},
        deliveries
    from ranked
    where delivery_rank = 1

    union all

    select
        {{ columns_of('events', columns) }},
        events.deliveries
    from {{ ref('int_usage_events_unioned') }} as events
    left join repeated_ids
        on events.source = repeated_ids.source
        and events.event_id = repeated_ids.event_id
    where repeated_ids.event_id is null

),

final as (

    select
        {{ columns_of('counted', columns) }},
        counted.deliveries,
        touched_days.day_version
    from counted
    inner join {{ ref('int_touched_days') }} as touched_days
        on cast(counted.started_at as date) = touched_days.usage_date_utc

)

select * from final
