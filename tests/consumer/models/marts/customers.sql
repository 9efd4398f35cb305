-- A mart of the shop's own that reads one of the package's.

select
    tenant_id as customer,
    sum(cost_usd) as llm_cost_usd,
    '{{ as_of() }}' as clock
from {{ ref('llm_spend', 'tenant_daily_spend') }}
group by tenant_id
