-- Who bears what no call carries a tenant for: fixed charges, and spend without an owner. Each in a way that somebody
-- named, and what that way cannot share stays in sight as unattributed.

{% set measured = {
    'by_cost': 'cost_usd', 'by_tokens': money('total_tokens'), 'by_requests': money('requests'), 'even': money(1),
} %}

with months as (

    select * from {{ ref('int_months_covered') }}

),

tenants as (

    select * from {{ ref('int_tenants_summed') }}

),

methods as (

    select * from {{ ref('stg_config__allocation_methods') }}

),

charges as (

    select
        charges.usage_month,
        charges.charge_id,
        charges.charge_type,
        charges.provider,
        charges.allocation_method,
        charges.tenant_id as direct_tenant_id,
        charges.amount_usd
    from {{ ref('int_charges_split') }} as charges
    inner join months
        on charges.usage_month = months.usage_month

),

usual_method as (

    select coalesce(max(allocation_method), 'none') as allocation_method
    from methods
    where provider is null

),

ownerless as (

    select
        tenants.usage_month,
        methods.provider as provider,
        coalesce(methods.allocation_method, usual_method.allocation_method) as allocation_method,
        {{ sum_money('tenants.cost_usd') }} as amount_usd
    from tenants
    cross join usual_method
    left join methods
        on {{ lower_case('tenants.provider') }} = methods.provider
    where tenants.tenant_id = {{ unattributed() }}
    group by
        tenants.usage_month,
        methods.provider,
        methods.allocation_method,
        usual_method.allocation_method

),

amounts as (

    select * from charges
    union all
    select
        usage_month,
        coalesce({{ dbt.concat([unattributed(), "' '", 'provider']) }}, {{ unattributed() }}) as charge_id,
        'unattributed_spend' as charge_type,
        provider,
        allocation_method,
        null as direct_tenant_id,
        amount_usd
    from ownerless

),

-- A provider's charge is shared by what was done with that provider.
measured as (

    select
        amounts.usage_month,
        amounts.charge_id,
        amounts.allocation_method,
        tenants.tenant_id,
        {{ sum_count('tenants.requests') }} as requests,
        {{ sum_count('tenants.total_tokens') }} as total_tokens,
        {{ sum_money('tenants.cost_usd') }} as cost_usd
    from amounts
    inner join tenants
        on amounts.usage_month = tenants.usage_month
    where
        tenants.tenant_id != {{ unattributed() }}
        and (amounts.provider is null or amounts.provider = {{ lower_case('tenants.provider') }})
    group by
        amounts.usage_month,
        amounts.charge_id,
        amounts.allocation_method,
        tenants.tenant_id

),

weighed as (

    select
        usage_month,
        charge_id,
        tenant_id,
        case allocation_method
            {%- for method, weight in measured.items() %}
            when '{{ method }}' then {{ weight }}
            {%- endfor %}
        end as weight
    from measured

),

ranked as (

    select
        *,
        sum(weight) over (partition by usage_month, charge_id) as total_weight,
        row_number() over (partition by usage_month, charge_id order by weight desc, tenant_id asc) as weight_rank
    from weighed
    where weight > 0

),

-- Who is named by no weight bears the whole: the tenant of a direct charge, else nobody.
shared as (

    select
        {{ columns_of('amounts', [
            'usage_month', 'charge_id', 'charge_type', 'provider', 'allocation_method', 'amount_usd',
        ]) }},
        coalesce(ranked.tenant_id, amounts.direct_tenant_id, {{ unattributed() }}) as tenant_id,
        coalesce(ranked.weight_rank, 1) as share_rank,
        case when ranked.tenant_id is null then 1 else {{ ratio('ranked.weight', 'ranked.total_weight') }} end
            as share_ratio
    from amounts
    left join ranked
        on amounts.usage_month = ranked.usage_month
        and amounts.charge_id = ranked.charge_id

),

rounded as (

    select
        *,
        {{ derived_usd('amount_usd * share_ratio') }} as rounded_usd
    from shared

),

settled as (

    select
        *,
        amount_usd - sum(rounded_usd) over (partition by usage_month, charge_id) as residue_usd
    from rounded

),

final as (

    select
        usage_month,
        charge_id,
        charge_type,
        provider,
        allocation_method,
        tenant_id,
        amount_usd,
        share_ratio,
        {{ money('rounded_usd + case when share_rank = 1 then residue_usd else 0 end') }} as allocated_usd
    from settled

)

select * from final
