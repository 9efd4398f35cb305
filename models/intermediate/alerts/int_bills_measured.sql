-- How far each day of a bill is from the log, beside fixed charges and what is only a matter of time, against what its
-- provider's tolerance allows. A call that was logged late may still come: the last two days wait.

{{ config(materialized='table') }}

{% set causes = ['coverage_usd', 'tokens_usd', 'price_usd', 'non_token_usd', 'unexplained_usd'] %}

with days as (

    select
        provider,
        usage_date_utc,
        {{ sum_count('our_requests') }} as requests,
        {{ sum_money('billed_cost_usd') }} as billed_cost_usd,
        {{ each_name(causes, sum_money('<name>') ~ ' as <name>') }}
    from {{ ref('provider_reconciliation') }}
    where usage_date_utc < {{ add_days(as_of_date_utc(), -2) }}
    group by provider, usage_date_utc

),

gaps as (

    select
        days.provider as provider,
        days.usage_date_utc as usage_date_utc,
        days.requests,
        {{ money('abs(days.' ~ causes | join(') + abs(days.') ~ ')') }} as gap_usd,
        greatest(
            limits.tolerance_usd, {{ derived_usd('days.billed_cost_usd * limits.tolerance_ratio') }}
        ) as tolerated_usd
    from days
    inner join {{ ref('int_bill_days') }} as limits
        on days.provider = limits.provider
        and days.usage_date_utc = limits.usage_date_utc

),

final as (

    select
        'bill_gap' as metric,
        'provider' as entity_type,
        provider as entity_id,
        'daily' as period_type,
        cast(usage_date_utc as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('usage_date_utc', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        {{ ratio('gap_usd', '1') }} as metric_value,
        {{ ratio('tolerated_usd', '1') }} as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        requests as samples,
        {{ money('gap_usd') }} as dollars
    from gaps

)

select * from final
