-- A calendar from digits: no engine-specific series, and no end that a user will live to see.

with digits as (

    {% for digit in range(10) -%}
    select {{ digit }} as digit
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

numbered as (

    select ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit as day_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands

),

dated as (

    select
        {{ add_days("cast('2020-01-01' as date)", 'day_number') }} as date_day,
        -- engines begin a week on different days; the first date was a Wednesday
        {{ add_days("cast('2020-01-01' as date)", 'day_number - mod(day_number + 2, 7)') }} as week_start_date
    from numbered

),

started as (

    select
        date_day,
        week_start_date,
        cast({{ dbt.date_trunc('month', 'date_day') }} as date) as month_start_date
    from dated

),

final as (

    select
        date_day,
        week_start_date,
        {{ add_days('week_start_date', 7) }} as next_week_start_date,
        month_start_date,
        cast({{ dbt.dateadd('month', 1, 'month_start_date') }} as date) as next_month_start_date,
        date_day >= {{ add_days('week_start_date', 5) }} as is_weekend,
        date_day < {{ as_of_date() }} as is_complete
    from started

)

select * from final
