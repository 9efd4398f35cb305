-- What a tenant cost so far this month against what it pays for it. In a month that goes on cost can only grow: a loss
-- is one already. What the tenant bears of shared charges is known when the month is over, and judged then.

with revenue as (

    select
        usage_month,
        tenant_id,
        {{ sum_money('revenue_usd') }} as revenue_usd
    from {{ ref('stg_config__tenant_revenue') }}
    group by usage_month, tenant_id

),

days as (

    select
        entity_id as tenant_id,
        usage_date,
        cast({{ dbt.date_trunc('month', 'usage_date') }} as date) as usage_month,
        requests,
        cost_usd,
        month_to_date_cost_usd
    from {{ ref('entity_daily_spend') }}
    where
        entity_type = 'tenant'
        and usage_date < {{ as_of_date() }}

),

months as (

    select * from {{ ref('tenant_margin') }}
    where
        is_complete
        and cost_usd <= revenue_usd

),

final as (

    select
        'cost_to_revenue' as metric,
        'tenant' as entity_type,
        days.tenant_id as entity_id,
        'daily' as period_type,
        cast(days.usage_date as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('days.usage_date', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        {{ ratio('days.month_to_date_cost_usd', 'revenue.revenue_usd') }} as metric_value,
        cast(1 as {{ type_ratio() }}) as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        days.requests as samples,
        {{ money('least(days.cost_usd, days.month_to_date_cost_usd - revenue.revenue_usd)') }} as dollars
    from days
    inner join revenue
        on days.tenant_id = revenue.tenant_id
        and days.usage_month = revenue.usage_month

    union all

    select
        'cost_to_revenue' as metric,
        'tenant' as entity_type,
        tenant_id as entity_id,
        'monthly' as period_type,
        cast(usage_month as {{ type_utc_timestamp() }}) as period_start,
        cast({{ dbt.dateadd('month', 1, 'usage_month') }} as {{ type_utc_timestamp() }}) as period_end,
        {{ ratio('total_cost_usd', 'revenue_usd') }} as metric_value,
        cast(1 as {{ type_ratio() }}) as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        requests as samples,
        {{ money('total_cost_usd - revenue_usd') }} as dollars
    from months

)

select * from final
