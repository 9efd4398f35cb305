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
where
    -- a cent and a tenth: below that it is rounding, or a cache discount the client did not know
    abs(reported_cost_usd - cost_usd) >= cast('0.01' as {{ type_decimal(3, 2) }})
    and abs(reported_cost_usd - cost_usd) >= cast('0.1' as {{ type_decimal(2, 1) }}) * cost_usd
