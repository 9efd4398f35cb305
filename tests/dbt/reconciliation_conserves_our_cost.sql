-- What the attempts of billed days cost is in the reconciliation, all of it, once.

-- Dagster shows a test of several models as a check of the one named here.
{{ config(meta={'dagster': {'ref': {'name': 'provider_reconciliation'}}}) }}

with attempts as (

    select coalesce(sum(attempts.cost_usd), 0) as cost_usd
    from {{ ref('fct_llm_attempts') }} as attempts
    inner join {{ ref('int_bill_days') }} as days
        on attempts.provider = days.provider
        and attempts.usage_date_utc = days.usage_date_utc

),

reconciled as (

    select coalesce(sum(our_cost_usd), 0) as cost_usd
    from {{ ref('provider_reconciliation') }}

)

select attempts.cost_usd, reconciled.cost_usd as reconciled_usd
from attempts
cross join reconciled
where attempts.cost_usd != reconciled.cost_usd
