-- What one run of a workflow or an agent cost, from its first call to its last: where a loop runs away, it is here.

{{ config(materialized='view') }}

with attempts as (

    select * from {{ ref('fct_llm_attempts') }}
    where run_id is not null

),

final as (

    select
        source,
        run_id,
        workflow_id,
        tenant_id,
        is_in_scope,
        min(usage_date) as usage_date,
        min(started_at) as first_started_at,
        max(started_at) as last_started_at,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_count('case when is_first_attempt then 1 else 0 end') }} as requests,
        {{ sum_count('case when is_retry then 1 else 0 end') }} as retries,
        {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
        {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
        {{ sum_count('case when cost_usd is null then 1 else 0 end') }} as attempts_without_cost,
        {{ sum_money('coalesce(cost_usd, 0)') }} as cost_usd,
        {{ sum_money('coalesce(wasted_cost_usd, 0)') }} as wasted_cost_usd
    from attempts
    group by source, run_id, workflow_id, tenant_id, is_in_scope

)

select * from final
