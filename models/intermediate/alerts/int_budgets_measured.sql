-- How much of a budget was used at the end of each day, or of its hour, and how much of it the period would use if its
-- weekdays went on as in the last weeks, as that day could know it. The dollars of a day are those beyond the budget,
-- once it is used up.

{# As many as the projection of budget_status takes. #}
{% set least_weeks, most_weeks = 2, 4 %}

with budgets as (

    select
        budget_status.*,
        {{ budget_period_type('budget_status') }} as period_type,
        {{ days_between('budget_status.period_start_date', 'budget_status.period_end_date') }}
            as period_days
    from {{ ref('budget_status') }} as budget_status

),

days as (

    select * from {{ ref('dim_dates') }}
    where is_complete

),

spend as (

    select * from {{ ref('int_budget_days_spent') }}

),

used as (

    select
        'budget_use' as metric,
        {{ columns_of('budgets', ['scope_type', 'scope_id', 'period_type']) }},
        cast(days.date_day as {{ type_utc_timestamp() }}) as measured_from,
        cast({{ add_days('days.date_day', 1) }} as {{ type_utc_timestamp() }}) as measured_to,
        budgets.amount_usd,
        budgets.warning_ratio,
        coalesce(spend.cost_usd, 0) as cost_usd,
        {{ money('sum(coalesce(spend.cost_usd, 0)) over (
            partition by budgets.scope_type, budgets.scope_id, budgets.period_type, budgets.period_start_date
            order by days.date_day
            rows between unbounded preceding and current row
        )') }} as spent_usd
    from budgets
    inner join days
        on budgets.period_start_date <= days.date_day
        and budgets.period_end_date > days.date_day
    left join spend
        on budgets.scope_type = spend.scope_type
        and budgets.scope_id = spend.scope_id
        and budgets.traffic = spend.traffic
        and days.date_day = spend.usage_date
    where budgets.period != 'hourly'

    union all

    select
        case
            when scope_type = 'tenant' and budget_kind = 'contracted' then 'contracted_hourly_use'
            else 'budget_use'
        end as metric,
        scope_type,
        scope_id,
        period_type,
        period_start as measured_from,
        period_end as measured_to,
        amount_usd,
        warning_ratio,
        spent_usd as cost_usd,
        spent_usd
    from budgets
    where
        period = 'hourly'
        and not is_current

),

firsts as (

    select
        scope_type,
        scope_id,
        traffic,
        min(usage_date) as first_date
    from spend
    group by scope_type, scope_id, traffic

),

-- Before a third of the period is over, a few days would speak for all.
running as (

    select
        {{ columns_of('budgets', [
            'scope_type', 'scope_id', 'traffic', 'period_type', 'amount_usd', 'period_start_date',
        ]) }},
        days.date_day,
        {{ days_between('days.date_day', 'budgets.period_end_date') }}
        - 1 as days_left,
        case
            {%- for weeks in range(most_weeks, least_weeks - 1, -1) %}
            when {{ add_days('firsts.first_date', 7 * weeks - 1) }} <= days.date_day then {{ weeks }}
            {%- endfor %}
        end as weeks
    from budgets
    inner join days
        on budgets.period_start_date <= days.date_day
        and budgets.period_end_date > days.date_day
    left join firsts
        on budgets.scope_type = firsts.scope_type
        and budgets.scope_id = firsts.scope_id
        and budgets.traffic = firsts.traffic
    where
        budgets.period in ('weekly', 'monthly')
        and budgets.period_days <= 3 * (
            {{ days_between('budgets.period_start_date', 'days.date_day') }}
            + 1
        )

),

looked_back as (

    select
        {{ columns_of('running', [
            'scope_type', 'scope_id', 'period_type', 'amount_usd', 'date_day', 'weeks', 'period_start_date',
        ]) }},
        spend.usage_date as usage_date,
        coalesce(spend.cost_usd, 0) as cost_usd,
        {{ days_between('spend.usage_date', 'running.date_day') }}
            as days_ago,
        mod({{ days_between('spend.usage_date', 'running.date_day') }}, 7) + running.days_left as days_to_fill
    from running
    left join spend
        on running.scope_type = spend.scope_type
        and running.scope_id = spend.scope_id
        and running.traffic = spend.traffic
        and running.date_day >= spend.usage_date
        and {{ add_days('running.date_day', -31) }} <= spend.usage_date

),

-- Each day of the last weeks stands for as many days as the period has left of its weekday.
projected as (

    select
        scope_type,
        scope_id,
        period_type,
        date_day,
        max(weeks) as weeks,
        max(amount_usd) as amount_usd,
        {{ sum_money('case when usage_date >= period_start_date then cost_usd else 0 end') }} as spent_usd,
        {{ sum_money('case when usage_date = date_day then cost_usd else 0 end') }} as day_usd,
        {{ sum_money(
            'case when days_ago < 7 * weeks then cost_usd * (days_to_fill - mod(days_to_fill, 7)) else 0 end'
        ) }} as sevenfold_usd
    from looked_back
    group by scope_type, scope_id, period_type, date_day

),

final as (

    select
        metric,
        scope_type as entity_type,
        scope_id as entity_id,
        period_type,
        measured_from as period_start,
        measured_to as period_end,
        {{ ratio('spent_usd', 'amount_usd') }} as metric_value,
        cast(warning_ratio as {{ type_ratio() }}) as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        cast(1 as {{ dbt.type_bigint() }}) as samples,
        case
            when spent_usd > amount_usd and spent_usd - amount_usd < cost_usd then {{ money('spent_usd - amount_usd') }}
            else {{ money('cost_usd') }}
        end as dollars
    from used

    union all

    select
        'budget_forecast' as metric,
        scope_type as entity_type,
        scope_id as entity_id,
        period_type,
        cast(date_day as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('date_day', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        {{ ratio('spent_usd + coalesce(' ~ ratio('sevenfold_usd', '7 * weeks') ~ ', 0)', 'amount_usd') }}
            as metric_value,
        cast(1 as {{ type_ratio() }}) as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        case when weeks is null then 0 else 7 * weeks end as samples,
        day_usd as dollars
    from projected

)

select * from final
