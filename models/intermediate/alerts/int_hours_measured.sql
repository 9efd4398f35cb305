-- What an hour cost against the median hour of the seven complete days before it. Hours without any call are no hours
-- of work, and would pull the median of a small user to zero.

-- Fewer hours than a day's worth have no typical one.
{% set min_baseline_hours = 24 %}

with hours as (

    select
        usage_hour,
        cast(usage_hour as date) as usage_date,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_money('cost_usd') }} as hour_cost
    from {{ ref('fct_hourly_spend') }}
    where
        is_in_scope
        and {{ add_hours('usage_hour', 1) }} <= {{ in_reporting_timezone(as_of()) }}
    group by usage_hour, cast(usage_hour as date)

),

dates as (

    select distinct usage_date
    from hours

),

ranked as (

    select
        dates.usage_date,
        hours.hour_cost,
        row_number() over (partition by dates.usage_date order by hours.hour_cost, hours.usage_hour) as cost_rank,
        count(*) over (partition by dates.usage_date) as baseline_hours
    from dates
    inner join hours
        on {{ add_days('dates.usage_date', -7) }} <= hours.usage_date
        and dates.usage_date > hours.usage_date
        and hours.hour_cost > 0

),

medians as (

    select
        usage_date,
        hour_cost
    from ranked
    where
        {{ is_discrete_median('cost_rank', 'baseline_hours') }}
        and baseline_hours >= {{ min_baseline_hours }}

),

final as (

    select
        'hourly_cost' as metric,
        'total' as entity_type,
        'total' as entity_id,
        'hourly' as period_type,
        hours.usage_hour as period_start,
        {{ add_hours('hours.usage_hour', 1) }} as period_end,
        cast(hours.hour_cost as {{ type_ratio() }}) as metric_value,
        cast(medians.hour_cost as {{ type_ratio() }}) as baseline,
        hours.attempts as samples,
        {{ money('hours.hour_cost - coalesce(medians.hour_cost, 0)') }} as dollars
    from hours
    left join medians
        on hours.usage_date = medians.usage_date

)

select * from final
