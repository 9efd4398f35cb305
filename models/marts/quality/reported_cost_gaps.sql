-- Where the client's or gateway's own figure is far from the price list: shown call by call, never averaged away.

select
    source,
    event_id,
    started_at,
    tenant_id,
    endpoint_tag,
    provider,
    model,
    is_in_scope,
    input_tokens,
    output_tokens,
    cost_status,
    cost_usd,
    reported_cost_usd,
    {{ money('reported_cost_usd - cost_usd') }} as gap_usd
from {{ ref('fct_llm_attempts') }}
where {{ is_far_off('reported_cost_usd', 'cost_usd') }}
