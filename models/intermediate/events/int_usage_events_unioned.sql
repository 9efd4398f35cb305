-- Every source's acceptable rows of the days of this run under one column list, with all other deliveries of their
-- events.

{% set columns = event_columns() %}

with of_these_days as (

    select
        events.{{ columns | join(',\n        events.') }},
        events._row_hash
    from {{ ref('stg_app__usage_events') }} as events
    inner join {{ ref('int_touched_days') }} as touched_days
        on cast(events.started_at as date) = touched_days.usage_date_utc
    where events.quarantine_reason is null

),

{% if not restates_everything() -%}
elsewhere as (

    select
        events.{{ columns | join(',\n        events.') }},
        events._row_hash
    from {{ ref('stg_app__usage_events') }} as events
    left join {{ ref('int_touched_days') }} as touched_days
        on cast(events.started_at as date) = touched_days.usage_date_utc
    where
        events.quarantine_reason is null
        and touched_days.usage_date_utc is null
        and events.event_id in (
            select same_events.event_id
            from {{ ref('stg_app__usage_events') }} as same_events
            inner join {{ ref('int_touched_days') }} as days
                on cast(same_events.started_at as date) = days.usage_date_utc
            where same_events.quarantine_reason is null
        )

),

{% endif -%}
final as (

    select
        *,
        cast(1 as {{ dbt.type_bigint() }}) as deliveries
    from of_these_days

    {% if not restates_everything() -%}
    union all

    select
        *,
        cast(1 as {{ dbt.type_bigint() }}) as deliveries
    from elsewhere

    {% endif -%}
    union all

    select
        {{ columns | join(',\n        ') }},
        '' as _row_hash,
        deliveries
    from {{ ref('int_attempts_kept') }}

)

select * from final
