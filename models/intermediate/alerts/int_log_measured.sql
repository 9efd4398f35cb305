-- Is the log itself in order: calls that no price is known for, and hours without any call.

{{ config(materialized='table') }}

{% set judged_days, baseline_days, min_baseline_days = 92, 28, 4 %}
{% set now = in_reporting_timezone(as_of()) %}

with calls as (

    select
        usage_date,
        model,
        {{ sum_count("case when cost_status = 'unpriced' then attempts else 0 end") }} as unpriced_calls,
        {{ sum_count("case when cost_status = 'unpriced' then 0 else attempts end") }} as priced_calls,
        {{ sum_money('cost_usd') }} as cost_usd
    from {{ ref('fct_daily_calls') }}
    where
        is_in_scope
        and usage_date < {{ as_of_date() }}
    group by usage_date, model

),

days as (

    select
        usage_date,
        {{ ratio('sum(cost_usd)', 'sum(priced_calls)') }} as cost_per_call
    from calls
    group by usage_date

),

unpriced_models as (

    select
        model,
        min(usage_date) as first_date
    from calls
    where unpriced_calls > 0
    group by model

),

-- What such a call costs nobody knows; at stake is what the other calls of the day cost.
unpriced as (

    select
        unpriced_models.model as model,
        days.usage_date as usage_date,
        coalesce(calls.unpriced_calls, 0) as unpriced_calls,
        {{ derived_usd('coalesce(calls.unpriced_calls, 0) * coalesce(days.cost_per_call, 0)') }} as dollars
    from unpriced_models
    inner join days
        on unpriced_models.first_date <= days.usage_date
    left join calls
        on unpriced_models.model = calls.model
        and days.usage_date = calls.usage_date

),

logged_hours as (

    select
        usage_hour,
        {{ sum_count('attempts') }} as attempts
    from {{ ref('fct_hourly_spend') }}
    where {{ since_days_ago('usage_date', judged_days + baseline_days) }}
    group by usage_hour

),

log_starts as (

    select min(usage_hour) as first_hour
    from logged_hours

),

dates as (

    select
        date_day,
        case when {{ weekday_number('date_day') }} >= 5 then 1 else 0 end as is_weekend
    from {{ ref('dim_dates') }}
    where
        date_day >= {{ add_days(as_of_date(), -1 * (judged_days + baseline_days)) }}
        and date_day <= {{ as_of_date() }}

),

hours as (

    {% for hour in range(24) -%}
    select
        date_day as usage_date,
        is_weekend,
        {{ add_hours('cast(date_day as ' ~ type_utc_timestamp() ~ ')', hour) }} as usage_hour
    from dates
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

numbered as (

    select
        hours.usage_date,
        hours.is_weekend,
        hours.usage_hour as usage_hour,
        logged_hours.usage_hour as logged_hour,
        row_number() over (order by hours.usage_hour) as ordinal
    from hours
    cross join log_starts
    left join logged_hours
        on hours.usage_hour = logged_hours.usage_hour
    where
        {{ add_hours('hours.usage_hour', 1) }} <= {{ now }}
        and hours.usage_hour >= log_starts.first_hour

),

gaps as (

    select
        *,
        ordinal - max(case when logged_hour is not null then ordinal end) over (
            order by ordinal rows between unbounded preceding and current row
        ) as hours_without
    from numbered

),

day_gaps as (

    select
        usage_date,
        is_weekend,
        max(hours_without) as longest_gap
    from gaps
    group by usage_date, is_weekend

),

ranked as (

    select
        day_gaps.usage_date as usage_date,
        earlier.longest_gap as longest_gap,
        row_number() over (
            partition by day_gaps.usage_date order by earlier.longest_gap, earlier.usage_date
        ) as gap_rank,
        count(*) over (partition by day_gaps.usage_date) as gap_days
    from day_gaps
    inner join day_gaps as earlier
        on day_gaps.is_weekend = earlier.is_weekend
        and {{ add_days('day_gaps.usage_date', -1 * baseline_days) }} <= earlier.usage_date
        and day_gaps.usage_date > earlier.usage_date

),

usual_gaps as (

    select
        usage_date,
        longest_gap
    from ranked
    where
        {{ is_discrete_median('gap_rank', 'gap_days') }}
        and gap_days >= {{ min_baseline_days }}

),

final as (

    select
        'unpriced_calls' as metric,
        'model' as entity_type,
        model as entity_id,
        'daily' as period_type,
        cast(usage_date as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('usage_date', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        cast(unpriced_calls as {{ type_ratio() }}) as metric_value,
        cast(null as {{ type_ratio() }}) as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        unpriced_calls as samples,
        dollars
    from unpriced

    union all

    select
        'hours_without_data' as metric,
        'total' as entity_type,
        'total' as entity_id,
        'hourly' as period_type,
        gaps.usage_hour as period_start,
        {{ add_hours('gaps.usage_hour', 1) }} as period_end,
        cast(gaps.hours_without as {{ type_ratio() }}) as metric_value,
        -- where every hour has calls, one hour without is the usual gap
        cast(case when usual_gaps.longest_gap < 1 then 1 else usual_gaps.longest_gap end as {{ type_ratio() }})
            as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        cast(1 as {{ dbt.type_bigint() }}) as samples,
        {{ money('0') }} as dollars
    from gaps
    left join usual_gaps
        on gaps.usage_date = usual_gaps.usage_date

)

select * from final
