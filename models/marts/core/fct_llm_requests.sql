-- What one logical request cost, retries included: the number a price per request must be built on.

{{ replaces_days(day='usage_date_utc', days='int_touched_days') }}

-- depends_on: {{ ref('int_touched_days') }}

with attempts as (

    select * from {{ ref('fct_llm_attempts') }}
    {%- if is_incremental() %}
    where request_date_utc in (select usage_date_utc from {{ ref('int_touched_days') }})
    {%- endif %}

),

final as (

    select
        request_key,
        source,
        max(case when is_first_attempt then coalesce(external_request_id, event_id) end) as external_request_id,
        max(case when is_first_attempt then run_id end) as run_id,
        min(started_at) as first_started_at,
        max(started_at) as last_started_at,
        request_date_utc as usage_date_utc,
        max(case when is_first_attempt then usage_date end) as usage_date,
        tenant_id,
        endpoint_tag,
        environment,
        data_mode,
        is_in_scope,
        max(case when is_first_attempt then prompt_version end) as prompt_version,
        max(case when is_first_attempt then provider end) as provider,
        max(case when is_first_attempt then model end) as model,
        max(case when is_first_attempt then workflow_id end) as workflow_id,
        case when max(case when is_useful then 1 else 0 end) = 1 then 'success' else 'failed' end as outcome,
        min(case when is_useful then case when task_succeeded then 1 when not task_succeeded then 0 end end) = 1
            as task_succeeded,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_count('case when is_retry then 1 else 0 end') }} as retries,
        {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
        {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
        {{ sum_count('case when cost_usd is null then 1 else 0 end') }} as attempts_without_cost,
        {{ sum_money('coalesce(cost_usd, 0)') }} as cost_usd,
        {{ sum_money('coalesce(cost_usd, 0) - coalesce(wasted_cost_usd, 0)') }} as useful_cost_usd,
        {{ sum_money('coalesce(wasted_cost_usd, 0)') }} as wasted_cost_usd
    from attempts
    group by request_key, request_date_utc, source, tenant_id, endpoint_tag, environment, data_mode, is_in_scope

)

select * from final
