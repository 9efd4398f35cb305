-- The same event_id again is a redelivery: the last one landed is the truth, and the count says how many there were.
-- Only ids that came more than once are ranked, and only by what is narrow: whole rows carried through the ranking cost
-- more than pricing them.

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
        deliveries.source,
        deliveries.event_id,
        {{ columns_of('deliveries', place) }},
        cast(sum(deliveries.deliveries) over (
            partition by deliveries.source, deliveries.event_id
        ) as {{ dbt.type_bigint() }}) as all_deliveries,
        row_number() over (
            partition by deliveries.source, deliveries.event_id
            order by deliveries.{{ place | join(' desc, deliveries.') }} desc
        ) as delivery_rank
    from {{ ref('int_usage_events_unioned') }} as deliveries
    inner join repeated_ids
        on deliveries.source = repeated_ids.source
        and deliveries.event_id = repeated_ids.event_id

),

last_deliveries as (

    select * from ranked
    where delivery_rank = 1

),

final as (

    select
        {{ columns_of('events', columns) }},
        coalesce(last_deliveries.all_deliveries, events.deliveries) as deliveries
    from {{ ref('int_usage_events_unioned') }} as events
    left join last_deliveries
        on events.source = last_deliveries.source
        and events.event_id = last_deliveries.event_id
    where
        last_deliveries.event_id is null
        or (
            events._source_line = last_deliveries._source_line
            and events._source_file = last_deliveries._source_file
            and events._row_hash = last_deliveries._row_hash
            and events._loaded_at = last_deliveries._loaded_at
        )

)

select * from final
