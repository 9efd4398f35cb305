-- How much of a budget was used at the end of each day, or of its hour. The dollars of a day are those beyond the
-- budget, once it is used up.

with budgets as (

    select
        budget_status.*,
        {{ budget_period_type('budget_status') }} as period_type
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
        cast(1 as {{ dbt.type_bigint() }}) as samples,
        case
            when spent_usd > amount_usd and spent_usd - amount_usd < cost_usd then {{ money('spent_usd - amount_usd') }}
            else {{ money('cost_usd') }}
        end as dollars
    from used

)

select * from final
