-- The bill of a month at a glance: how much of it our calls account for, and how much of it is explained.

{% set measures = [
    'our_cost_usd', 'billed_cost_usd', 'difference_usd', 'coverage_usd', 'tokens_usd', 'price_usd', 'non_token_usd',
    'fixed_usd', 'timing_usd', 'unexplained_usd',
] %}

with months as (

    select
        provider,
        cast({{ dbt.date_trunc('month', 'usage_date_utc') }} as date) as usage_month,
        count(distinct usage_date_utc) as billed_days,
        count(distinct case when not is_final then usage_date_utc end) as open_days,
        sum(case when billed_cost_usd > 0 and our_cost_usd > 0 then least(billed_cost_usd, our_cost_usd) else 0 end)
            as matched_usd,
        sum(abs(unexplained_usd)) as unknown_usd,
        {{ each_name(measures, sum_money('<name>') ~ ' as <name>') }}
    from {{ ref('provider_reconciliation') }}
    group by 1, 2

),

tolerances as (

    select
        provider,
        cast({{ dbt.date_trunc('month', 'usage_date_utc') }} as date) as usage_month,
        max(tolerance_usd) as tolerance_usd,
        max(tolerance_ratio) as tolerance_ratio
    from {{ ref('int_bill_days') }}
    group by 1, 2

),

final as (

    select
        months.provider as provider,
        months.usage_month,
        cast(months.billed_days as {{ dbt.type_bigint() }}) as billed_days,
        cast(months.open_days as {{ dbt.type_bigint() }}) as open_days,
        {{ measures | join(',\n        ') }},
        {{ money('months.matched_usd') }} as matched_usd,
        {{ ratio('months.matched_usd', 'months.billed_cost_usd') }} as matched_ratio,
        {{ ratio('months.billed_cost_usd - months.unknown_usd', 'months.billed_cost_usd') }} as explained_ratio,
        case
            when months.open_days > 0 then 'open'
            when abs(months.difference_usd - months.fixed_usd - months.timing_usd)
                <= greatest(tolerances.tolerance_usd, tolerances.tolerance_ratio * months.billed_cost_usd)
                then 'reconciled'
            else 'gap'
        end as status
    from months
    inner join tolerances
        on months.provider = tolerances.provider
        and months.usage_month = tolerances.usage_month

)

select * from final
