-- The months that a margin can be told for: before the log begins cost is unknown, not zero, and a month that has not
-- begun has none. Whole are only those that the log covers from their first day to their last.

{{ config(materialized=shared_step()) }}

with logged as (

    select
        min(first_usage_date) as first_usage_date,
        max(usage_month) as last_usage_month
    from {{ ref('int_tenants_summed') }}

),

months as (

    select distinct
        month_start_date,
        next_month_start_date
    from {{ ref('dim_dates') }}

),

final as (

    select
        months.month_start_date as usage_month,
        months_before.month_start_date as month_before,
        months.month_start_date > logged.first_usage_date as is_month_before_logged,
        months.month_start_date >= logged.first_usage_date
        and months.next_month_start_date <= {{ as_of_date() }} as is_complete,
        coalesce(months_before.month_start_date >= logged.first_usage_date, false)
        and months.next_month_start_date <= {{ as_of_date() }} as is_comparable
    from months
    left join months as months_before
        on months.month_start_date = months_before.next_month_start_date
    cross join logged
    where
        months.next_month_start_date > logged.first_usage_date
        and (months.month_start_date <= {{ as_of_date() }} or months.month_start_date <= logged.last_usage_month)

)

select * from final
