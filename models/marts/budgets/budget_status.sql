-- How each budget stands in each of its periods, and where the running one will end if its weekdays go on as in the
-- last weeks.

{% set thresholds = [] %}
{% for place in range(1, most_thresholds() + 1) %}{% do thresholds.append(threshold_column(place)) %}{% endfor %}
{% set scope = ['scope_type', 'scope_id', 'traffic'] %}
{% set budget = scope + ['period', 'budget_kind'] %}
{% set ahead = budget + ['period_start', 'amount_usd', 'spent_on_complete_days_usd'] %}
{% set declared = budget + ['owner', 'amount_usd', 'warning_ratios'] + thresholds %}
{% set held = declared + ['period_start', 'period_end', 'period_start_date', 'period_end_date'] %}
{% set now = in_reporting_timezone(as_of()) %}
{# Two of each weekday are the least that tell a weekday from a day. #}
{% set least_weeks, most_weeks = 2, 4 %}

with budgets as (

    select * from {{ ref('stg_config__budgets') }}

),

days_spent as (

    select * from {{ ref('int_budget_days_spent') }}

),

hours_spent as (

    select * from {{ ref('int_budget_hours_spent') }}

),

history as (

    select coalesce(min(usage_date), {{ as_of_date() }}) as first_date
    from {{ ref('fct_daily_spend') }}

),

days as (

    select dim_dates.*
    from {{ ref('dim_dates') }} as dim_dates
    cross join history
    where
        dim_dates.date_day >= history.first_date
        and dim_dates.date_day <= {{ as_of_date() }}

),

periods as (

    select distinct
        'daily' as period,
        date_day as period_start_date,
        {{ add_days('date_day', 1) }} as period_end_date
    from days
    union all
    select distinct
        'weekly' as period,
        week_start_date as period_start_date,
        next_week_start_date as period_end_date
    from days
    union all
    select distinct
        'monthly' as period,
        month_start_date as period_start_date,
        next_month_start_date as period_end_date
    from days

),

limits as (

    select
        {{ columns_of('budgets', declared + ['valid_from', 'valid_to']) }},
        cast(periods.period_start_date as {{ type_utc_timestamp() }}) as period_start,
        cast(periods.period_end_date as {{ type_utc_timestamp() }}) as period_end,
        periods.period_start_date,
        periods.period_end_date
    from budgets
    inner join periods
        on budgets.period = periods.period
        and budgets.valid_from < periods.period_end_date
        and budgets.valid_to > periods.period_start_date

    union all

    select
        {{ columns_of('budgets', declared + ['valid_from', 'valid_to']) }},
        hours_spent.usage_hour as period_start,
        {{ add_hours('hours_spent.usage_hour', 1) }} as period_end,
        hours_spent.usage_date as period_start_date,
        {{ add_days('hours_spent.usage_date', 1) }} as period_end_date
    from budgets
    inner join hours_spent
        on budgets.scope_type = hours_spent.scope_type
        and budgets.scope_id = hours_spent.scope_id
        and budgets.traffic = hours_spent.traffic
        and budgets.valid_from <= hours_spent.usage_date
        and budgets.valid_to > hours_spent.usage_date
    where budgets.period = 'hourly'

),

-- Where an amount changed inside a period, the later one holds for all of it; of two that began together, the lower.
ranked as (

    select
        *,
        row_number() over (
            partition by {{ budget | join(', ') }}, period_start
            order by valid_from desc, amount_usd asc, valid_to desc, warning_ratios asc, coalesce(owner, '') asc
        ) as amount_rank
    from limits

),

spent as (

    select
        {{ columns_of('ranked', held) }},
        {{ sum_money('coalesce(days_spent.cost_usd, 0)') }} as spent_usd,
        {{ sum_money('case when days_spent.usage_date < ' ~ as_of_date() ~ ' then days_spent.cost_usd else 0 end') }}
            as spent_on_complete_days_usd
    from ranked
    left join days_spent
        on ranked.scope_type = days_spent.scope_type
        and ranked.scope_id = days_spent.scope_id
        and ranked.traffic = days_spent.traffic
        and ranked.period_start_date <= days_spent.usage_date
        and ranked.period_end_date > days_spent.usage_date
    where
        ranked.amount_rank = 1
        and ranked.period != 'hourly'
    group by
        ranked.{{ held | join(',\n        ranked.') }}

    union all

    select
        {{ columns_of('ranked', held) }},
        hours_spent.cost_usd as spent_usd,
        hours_spent.cost_usd as spent_on_complete_days_usd
    from ranked
    inner join hours_spent
        on ranked.scope_type = hours_spent.scope_type
        and ranked.scope_id = hours_spent.scope_id
        and ranked.traffic = hours_spent.traffic
        and ranked.period_start = hours_spent.usage_hour
    where
        ranked.amount_rank = 1
        and ranked.period = 'hourly'

),

paces as (

    select
        {{ scope | join(',\n        ') }},
        case
            {%- for weeks in range(most_weeks, least_weeks - 1, -1) %}
            when min(usage_date) <= {{ add_days(as_of_date(), -7 * weeks) }} then {{ weeks }}
            {%- endfor %}
        end as weeks,
        {{ sum_money('case when usage_date >= ' ~ add_days(as_of_date(), -7) ~ ' then cost_usd else 0 end') }}
            as last_7_days_usd
    from days_spent
    where usage_date < {{ as_of_date() }}
    group by {{ scope | join(', ') }}

),

weekdays_spent as (

    select
        {{ columns_of('days_spent', scope) }},
        {{ weekday_number('days_spent.usage_date') }} as week_day,
        {{ sum_money('days_spent.cost_usd') }} as weekday_usd
    from days_spent
    inner join paces
        on days_spent.scope_type = paces.scope_type
        and days_spent.scope_id = paces.scope_id
        and days_spent.traffic = paces.traffic
    where
        days_spent.usage_date >= {{ add_days(as_of_date(), '-7 * paces.weeks') }}
        and days_spent.usage_date < {{ as_of_date() }}
    group by days_spent.{{ scope | join(', days_spent.') }}, {{ weekday_number('days_spent.usage_date') }}

),

days_left as (

    select
        date_day,
        {{ weekday_number('date_day') }} as week_day
    from {{ ref('dim_dates') }}
    where
        date_day >= {{ as_of_date() }}
        and date_day < {{ add_days(as_of_date(), 31) }}

),

days_ahead as (

    select
        {{ columns_of('spent', ahead) }},
        days_left.date_day,
        days_left.week_day,
        least(7, {{ days_between('history.first_date', as_of_date()) }}) as last_days
    from spent
    cross join days_left
    cross join history
    where
        spent.period != 'hourly'
        and spent.period_end_date > days_left.date_day

),

-- A scope of under two weeks goes on as in its last seven days, or as in those that there were.
expected as (

    select
        {{ columns_of('days_ahead', ahead + ['date_day']) }},
        case
            when paces.weeks is null then coalesce(paces.last_7_days_usd, 0)
            else coalesce(weekdays_spent.weekday_usd, 0)
        end as pace_usd,
        coalesce(paces.weeks, days_ahead.last_days) as pace_divisor
    from days_ahead
    left join paces
        on days_ahead.scope_type = paces.scope_type
        and days_ahead.scope_id = paces.scope_id
        and days_ahead.traffic = paces.traffic
    left join weekdays_spent
        on days_ahead.scope_type = weekdays_spent.scope_type
        and days_ahead.scope_id = weekdays_spent.scope_id
        and days_ahead.traffic = weekdays_spent.traffic
        and days_ahead.week_day = weekdays_spent.week_day

),

summed as (

    select
        *,
        {{ money('sum(pace_usd) over (
            partition by ' ~ budget | join(', ') ~ ', period_start
            order by date_day rows between unbounded preceding and current row
        )') }} as pace_so_far_usd
    from expected

),

forecast as (

    select
        *,
        {{ derived_usd(
            'spent_on_complete_days_usd + coalesce(' ~ ratio('pace_so_far_usd', 'pace_divisor') ~ ', 0)'
        ) }} as expected_usd
    from summed

),

ends as (

    select
        {{ budget | join(',\n        ') }},
        period_start,
        max(expected_usd) as expected_usd_at_end,
        min(case when expected_usd > amount_usd then date_day end) as expected_exhausted_on
    from forecast
    group by {{ budget | join(', ') }}, period_start

),

projected as (

    select
        {{ columns_of('spent', held + ['spent_usd']) }},
        greatest(spent.spent_usd, coalesce(ends.expected_usd_at_end, spent.spent_usd)) as projected_usd,
        case when spent.spent_usd <= spent.amount_usd then ends.expected_exhausted_on end as exhausted_on_date,
        {{ ratio('spent.spent_usd', 'spent.amount_usd') }} as spent_share_ratio
    from spent
    left join ends
        on spent.scope_type = ends.scope_type
        and spent.scope_id = ends.scope_id
        and spent.traffic = ends.traffic
        and spent.period = ends.period
        and spent.budget_kind = ends.budget_kind
        and spent.period_start = ends.period_start

),

final as (

    select
        scope_type,
        scope_id,
        period,
        traffic,
        budget_kind,
        period_start,
        period_end,
        period_start_date,
        period_end_date,
        period_end > {{ now }} as is_current,
        owner,
        amount_usd,
        warning_ratio,
        warning_ratios,
        spent_usd,
        {{ money('amount_usd - spent_usd') }} as left_usd,
        projected_usd,
        exhausted_on_date,
        spent_share_ratio,
        case
            {%- for threshold in thresholds | reverse %}
            when spent_share_ratio >= {{ threshold }} then {{ threshold }}
            {%- endfor %}
        end as reached_ratio,
        case
            {%- for threshold in thresholds %}
            when spent_share_ratio < {{ threshold }} then {{ threshold }}
            {%- endfor %}
        end as next_ratio,
        case
            when spent_usd > amount_usd then 'exceeded'
            when projected_usd > amount_usd then 'forecast_exceeded'
            when spent_share_ratio >= warning_ratio then 'warning'
            else 'ok'
        end as status
    from projected

)

select * from final
