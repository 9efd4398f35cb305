-- Every source's acceptable rows of the days of this run under one column list, with all other deliveries of their events.

with accepted as (

    select
        *,
        cast(started_at as date) as usage_date_utc
    from {{ ref('stg_app__usage_events') }}
    where quarantine_reason is null

),

of_these_days as (

    select accepted.*
    from accepted
    inner join {{ ref('int_touched_days') }} as touched_days
        on accepted.usage_date_utc = touched_days.usage_date_utc

),

{% if not restates_everything() -%}
elsewhere as (

    select accepted.*
    from accepted
    left join {{ ref('int_touched_days') }} as touched_days
        on accepted.usage_date_utc = touched_days.usage_date_utc
    where
        touched_days.usage_date_utc is null
        and accepted.event_id in (select of_these_days.event_id from of_these_days)

),

{% endif -%}
final as (

    select
        {{ event_columns() | join(',\n        ') }},
        _row_hash,
        cast(1 as {{ dbt.type_bigint() }}) as deliveries
    from of_these_days

    {% if not restates_everything() -%}
    union all

    select
        {{ event_columns() | join(',\n        ') }},
        _row_hash,
        cast(1 as {{ dbt.type_bigint() }}) as deliveries
    from elsewhere

    {% endif -%}
    union all

    select
        {{ event_columns() | join(',\n        ') }},
        '' as _row_hash,
        deliveries
    from {{ ref('int_attempts_kept') }}

)

select * from final
