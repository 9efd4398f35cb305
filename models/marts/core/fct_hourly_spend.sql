-- Hours, for what cannot wait for the day: narrow, because a runaway loop is looked for by tenant, endpoint and
-- workflow.

{{ replaces_days(day='usage_date', days='int_touched_dates') }}

-- depends_on: {{ ref('int_touched_dates') }}

select
    usage_date,
    usage_hour,
    is_in_scope,
    tenant_id,
    endpoint_tag,
    workflow_id,
    model,
    cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
    {{ sum_count('case when is_first_attempt then 1 else 0 end') }} as requests,
    {{ sum_count('case when is_retry then 1 else 0 end') }} as retries,
    {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
    {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
    {{ sum_count('case when cost_usd is null then 1 else 0 end') }} as attempts_without_cost,
    {{ sum_money('coalesce(cost_usd, 0)') }} as cost_usd,
    {{ sum_money('coalesce(wasted_cost_usd, 0)') }} as wasted_cost_usd
from {{ ref('fct_llm_attempts') }}
{%- if is_incremental() %}
where {{ attempts_on_touched_dates() }}
{%- endif %}
group by usage_date, usage_hour, is_in_scope, tenant_id, endpoint_tag, workflow_id, model
