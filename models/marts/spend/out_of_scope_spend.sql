-- The rest of the bill: staging, development, test and demo traffic. With the question marts it adds up to everything.

select
    usage_date,
    environment,
    data_mode,
    tenant_id,
    {{ sum_count('attempts') }} as attempts,
    {{ sum_count('requests') }} as requests,
    {{ sum_count('attempts_without_cost') }} as attempts_without_cost,
    {{ sum_money('cost_usd') }} as cost_usd
from {{ ref('fct_daily_spend') }}
where not is_in_scope
group by usage_date, environment, data_mode, tenant_id
