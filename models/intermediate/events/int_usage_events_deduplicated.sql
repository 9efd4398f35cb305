-- The same event_id again is a redelivery: the last one landed is the truth, and the count says how many there were.

with deliveries as (

    select
        *,
        row_number() over (
            partition by source, event_id
            order by _loaded_at desc, _row_hash desc
        ) as delivery_rank,
        cast(count(*) over (partition by source, event_id) as {{ dbt.type_bigint() }}) as deliveries
    from {{ ref('int_usage_events_unioned') }}

)

select * from deliveries
where delivery_rank = 1
