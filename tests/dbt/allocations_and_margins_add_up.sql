-- Each amount is shared out once and whole, and the tenants of a month bear what its calls and its charges cost.

-- Dagster shows a test of several models as a check of the one named here.
{{ config(meta={'dagster': {'ref': {'name': 'tenant_margin'}}}) }}

with amounts as (

    select
        usage_month,
        charge_id,
        charge_type,
        max(amount_usd) as amount_usd,
        sum(allocated_usd) as allocated_usd,
        sum(share_ratio) as shares
    from {{ ref('allocated_spend') }}
    group by usage_month, charge_id, charge_type

),

costs as (

    select
        usage_month,
        sum(cost_usd) as cost_usd,
        sum(case when tenant_id = {{ unattributed() }} then cost_usd else 0 end) as ownerless_usd
    from {{ ref('int_tenants_summed') }}
    group by usage_month

),

charges as (

    select
        usage_month,
        sum(amount_usd) as amount_usd
    from {{ ref('int_charges_split') }}
    group by usage_month

),

shared as (

    select
        usage_month,
        sum(case when charge_type = 'unattributed_spend' then amount_usd else 0 end) as ownerless_usd,
        sum(case when charge_type = 'unattributed_spend' then 0 else amount_usd end) as charges_usd
    from amounts
    group by usage_month

),

margins as (

    select
        usage_month,
        sum(total_cost_usd) as total_cost_usd,
        sum(allocated_unattributed_usd) as allocated_unattributed_usd
    from {{ ref('tenant_margin') }}
    group by usage_month

)

select
    usage_month,
    charge_id as what,
    amount_usd as expected_usd,
    allocated_usd as found_usd
from amounts
where
    amount_usd != allocated_usd
    or abs(shares - 1) > 0.000000001

union all

select
    months.usage_month as usage_month,
    'total cost' as what,
    coalesce(costs.cost_usd, 0) + coalesce(charges.amount_usd, 0) as expected_usd,
    coalesce(margins.total_cost_usd, 0) as found_usd
from {{ ref('int_months_covered') }} as months
left join costs
    on months.usage_month = costs.usage_month
left join charges
    on months.usage_month = charges.usage_month
left join shared
    on months.usage_month = shared.usage_month
left join margins
    on months.usage_month = margins.usage_month
where
    coalesce(costs.cost_usd, 0) + coalesce(charges.amount_usd, 0) != coalesce(margins.total_cost_usd, 0)
    or coalesce(margins.allocated_unattributed_usd, 0) != 0
    or coalesce(shared.ownerless_usd, 0) != coalesce(costs.ownerless_usd, 0)
    or coalesce(shared.charges_usd, 0) != coalesce(charges.amount_usd, 0)
