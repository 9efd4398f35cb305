-- How much of a budget was used at the end of each day. The dollars of a day are those beyond the budget, once it is
-- used up.

with budgets as (

    select * from {{ ref('budget_status') }}

),

days as (

    select * from {{ ref('dim_dates') }}
    where is_complete

),

spend as (

    select
        entity_type,
        entity_id,
        usage_date,
        {{ sum_money('cost_usd') }} as cost_usd
    from {{ ref('entity_daily_spend') }}
    group by entity_type, entity_id, usage_date

),

used as (

    select
        budgets.scope_type,
        budgets.scope_id,
        budgets.period,
        budgets.period_start_date,
        budgets.amount_usd,
        budgets.warning_ratio,
        days.date_day,
        coalesce(spend.cost_usd, 0) as cost_usd,
        {{ money('sum(coalesce(spend.cost_usd, 0)) over (
            partition by budgets.scope_type, budgets.scope_id, budgets.period, budgets.period_start_date
            order by days.date_day
            rows between unbounded preceding and current row
        )') }} as spent_usd
    from budgets
    inner join days
        on budgets.period_start_date <= days.date_day
        and budgets.period_end_date > days.date_day
    left join spend
        on budgets.scope_type = spend.entity_type
        and budgets.scope_id = spend.entity_id
        and days.date_day = spend.usage_date

),

final as (

    select
        'budget_use' as metric,
        scope_type as entity_type,
        scope_id as entity_id,
        period as period_type,
        cast(date_day as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('date_day', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        {{ ratio('spent_usd', 'amount_usd') }} as metric_value,
        cast(warning_ratio as {{ type_ratio() }}) as baseline,
        cast(1 as {{ dbt.type_bigint() }}) as samples,
        case
            when spent_usd > amount_usd and spent_usd - amount_usd < cost_usd then {{ money('spent_usd - amount_usd') }}
            else {{ money('cost_usd') }}
        end as dollars
    from used

)

select * from final
