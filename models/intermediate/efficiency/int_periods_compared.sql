-- Which dates are held against which: a day against the same weekday of the week before, a week against the week, a
-- month against the month before. Only whole periods, and only recent ones: why a bill changed is asked soon after.

{% set kept = {'day': 35, 'week': 91, 'month': 366} %}

with dates as (

    select * from {{ ref('dim_dates') }}
    where
        date_day < {{ as_of_date() }}
        and date_day >= {{ add_days(as_of_date(), -2 * kept.month) }}

),

periods as (

    select
        'day' as period_type,
        date_day,
        date_day as period_start,
        {{ add_days('date_day', 1) }} as period_end,
        {{ add_days('date_day', 7) }} as next_period_start,
        {{ add_days('date_day', 8) }} as next_period_end
    from dates

    union all

    select
        'week' as period_type,
        date_day,
        week_start_date as period_start,
        next_week_start_date as period_end,
        next_week_start_date as next_period_start,
        {{ add_days('next_week_start_date', 7) }} as next_period_end
    from dates

    union all

    select
        'month' as period_type,
        date_day,
        month_start_date as period_start,
        next_month_start_date as period_end,
        next_month_start_date as next_period_start,
        cast({{ dbt.dateadd('month', 1, 'next_month_start_date') }} as date) as next_period_end
    from dates

),

sides as (

    select
        period_type,
        date_day as usage_date,
        period_start,
        period_end,
        'after' as side
    from periods

    union all

    select
        period_type,
        date_day as usage_date,
        next_period_start as period_start,
        next_period_end as period_end,
        'before' as side
    from periods

),

final as (

    select
        period_type,
        period_start,
        usage_date,
        side
    from sides
    where
        period_end <= {{ as_of_date() }}
        and period_start >= case period_type
            {%- for period_type, days in kept.items() %}
            when '{{ period_type }}' then {{ add_days(as_of_date(), -1 * days) }}
            {%- endfor %}
        end

)

select * from final
