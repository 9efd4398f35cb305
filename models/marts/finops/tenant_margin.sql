-- Does a tenant pay what it costs, its share of what nobody else pays included, and where is it heading?

with months as (

    select * from {{ ref('int_months_covered') }}

),

spent as (

    select
        usage_month,
        tenant_id,
        {{ sum_count('requests') }} as requests,
        {{ sum_count('attempts_without_cost') }} as attempts_without_cost,
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ sum_money('wasted_cost_usd') }} as wasted_cost_usd
    from {{ ref('int_tenants_summed') }}
    group by usage_month, tenant_id

),

allocated as (

    select
        usage_month,
        tenant_id,
        {{ sum_money("case when charge_type = 'unattributed_spend' then allocated_usd else 0 end") }}
            as allocated_unattributed_usd,
        {{ sum_money("case when charge_type = 'unattributed_spend' then 0 else allocated_usd end") }}
            as allocated_charges_usd
    from {{ ref('allocated_spend') }}
    group by usage_month, tenant_id

),

revenue as (

    select
        usage_month,
        tenant_id,
        {{ sum_money('revenue_usd') }} as revenue_usd
    from {{ ref('stg_config__tenant_revenue') }}
    group by usage_month, tenant_id

),

tenants as (

    select
        usage_month,
        tenant_id
    from spent
    union distinct
    select
        usage_month,
        tenant_id
    from allocated
    union distinct
    select
        usage_month,
        tenant_id
    from revenue

),

-- What is shared out leaves the row of spend without an owner, so that the column adds up to nothing.
borne as (

    select
        tenants.usage_month as usage_month,
        tenants.tenant_id as tenant_id,
        months.month_before,
        months.is_month_before_logged,
        months.is_complete,
        months.is_comparable,
        revenue.revenue_usd as revenue_usd,
        coalesce(spent.requests, 0) as requests,
        coalesce(spent.attempts_without_cost, 0) as attempts_without_cost,
        {{ money('coalesce(spent.cost_usd, 0)') }} as cost_usd,
        {{ money('coalesce(spent.wasted_cost_usd, 0)') }} as wasted_cost_usd,
        {{ money(
            'coalesce(allocated.allocated_unattributed_usd, 0)'
            ~ ' - case when tenants.tenant_id = ' ~ unattributed() ~ ' then coalesce(spent.cost_usd, 0) else 0 end'
        ) }} as allocated_unattributed_usd,
        {{ money('coalesce(allocated.allocated_charges_usd, 0)') }} as allocated_charges_usd
    from tenants
    inner join months
        on tenants.usage_month = months.usage_month
    left join spent
        on tenants.usage_month = spent.usage_month
        and tenants.tenant_id = spent.tenant_id
    left join allocated
        on tenants.usage_month = allocated.usage_month
        and tenants.tenant_id = allocated.tenant_id
    left join revenue
        on tenants.usage_month = revenue.usage_month
        and tenants.tenant_id = revenue.tenant_id

),

compared as (

    select
        {{ columns_of('borne', [
            'usage_month', 'tenant_id', 'is_complete', 'is_comparable', 'revenue_usd', 'requests',
            'attempts_without_cost', 'cost_usd', 'wasted_cost_usd', 'allocated_unattributed_usd',
            'allocated_charges_usd',
        ]) }},
        {{ money('borne.cost_usd + borne.allocated_unattributed_usd + borne.allocated_charges_usd') }}
            as total_cost_usd,
        case when borne.is_month_before_logged then {{ money('coalesce(spent_before.cost_usd, 0)') }} end
            as cost_usd_month_before,
        revenue_before.revenue_usd as revenue_usd_month_before
    from borne
    left join spent as spent_before
        on borne.month_before = spent_before.usage_month
        and borne.tenant_id = spent_before.tenant_id
    left join revenue as revenue_before
        on borne.month_before = revenue_before.usage_month
        and borne.tenant_id = revenue_before.tenant_id

),

margins as (

    select
        *,
        {{ money('revenue_usd - cost_usd') }} as margin_before_allocation_usd,
        {{ money('revenue_usd - total_cost_usd') }} as margin_usd
    from compared

),

judged as (

    select
        *,
        case
            when revenue_usd_month_before is null then 'new'
            when revenue_usd > revenue_usd_month_before then 'growing'
            when revenue_usd < revenue_usd_month_before then 'shrinking'
            else 'steady'
        end as direction,
        case when margin_usd < 0 then 'draining' else 'profitable' end as outcome
    from margins

),

-- In a month that goes on, cost can only grow: a loss is one already, a profit none yet.
final as (

    select
        usage_month,
        tenant_id,
        is_complete,
        requests,
        attempts_without_cost,
        revenue_usd,
        cost_usd,
        wasted_cost_usd,
        allocated_unattributed_usd,
        allocated_charges_usd,
        total_cost_usd,
        margin_before_allocation_usd,
        margin_usd,
        case when revenue_usd > 0 then {{ ratio('margin_usd', 'revenue_usd') }} end as margin_ratio,
        revenue_usd_month_before,
        case
            when revenue_usd_month_before > 0
                then {{ ratio('revenue_usd - revenue_usd_month_before', 'revenue_usd_month_before') }}
        end as revenue_growth_ratio,
        cost_usd_month_before,
        case when is_comparable then {{ ratio('cost_usd - cost_usd_month_before', 'cost_usd_month_before') }} end
            as cost_growth_ratio,
        case
            when revenue_usd is null then 'unknown_revenue'
            when outcome = 'profitable' and not is_complete then 'incomplete'
            else {{ dbt.concat(['direction', "'_'", 'outcome']) }}
        end as quadrant
    from judged

)

select * from final
