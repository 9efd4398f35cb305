-- The same event_id again is a redelivery: the last one landed is the truth, and the count says how many there were.

with ranked as (

    select
        *,
        row_number() over (
            partition by source, event_id
            order by _loaded_at desc, _row_hash desc
        ) as delivery_rank,
        cast(sum(deliveries) over (partition by source, event_id) as {{ dbt.type_bigint() }}) as all_deliveries
    from {{ ref('int_usage_events_unioned') }}

),

final as (

    select
        ranked.{{ event_columns() | join(',\n        ranked.') }},
        ranked.all_deliveries as deliveries,
        touched_days.day_version
    from ranked
    inner join {{ ref('int_touched_days') }} as touched_days
        on cast(ranked.started_at as date) = touched_days.usage_date_utc
    where ranked.delivery_rank = 1

)

select * from final
