-- What the bill above does not contain: calls whose cost is unknown, by the name the log gave the model.

select
    provider,
    model,
    cost_status,
    is_in_scope,
    cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
    {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
    {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
    min(started_at) as first_started_at,
    max(started_at) as last_started_at,
    {{ sum_money('coalesce(cost_usd, 0)') }} as known_cost_usd,
    {{ sum_money('coalesce(reported_cost_usd, 0)') }} as reported_cost_usd
from {{ ref('fct_llm_attempts') }}
where cost_status in ('unpriced', 'usage_missing', 'partial')
group by provider, model, cost_status, is_in_scope
