-- What one logical request cost, retries included: the number a price per request must be built on. A request is its
-- first attempt and what the few that have further ones add to it; it is never stored a second time.

{{ config(materialized='view') }}

with first_attempts as (

    select * from {{ ref('fct_llm_attempts') }}
    where is_first_attempt

),

further_attempts as (

    select
        request_key,
        max(started_at) as last_started_at,
        max(case when is_useful then 1 else 0 end) = 1 as is_useful,
        max(case when is_useful then case when task_succeeded then 1 when not task_succeeded then 0 end end) = 1
            as task_succeeded,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_count('case when is_retry then 1 else 0 end') }} as retries,
        {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
        {{ sum_count('coalesce(cached_input_tokens, 0)') }} as cached_input_tokens,
        {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
        {{ sum_count('coalesce(latency_ms, 0)') }} as total_latency_ms,
        {{ sum_count('case when cost_usd is null then 1 else 0 end') }} as attempts_without_cost,
        {{ sum_money('coalesce(cost_usd, 0)') }} as cost_usd,
        {{ sum_money('coalesce(wasted_cost_usd, 0)') }} as wasted_cost_usd
    from {{ ref('fct_llm_attempts') }}
    where not is_first_attempt
    group by request_key

),

added_up as (

    select
        first_attempts.request_key,
        first_attempts.source,
        coalesce(first_attempts.external_request_id, first_attempts.event_id) as external_request_id,
        first_attempts.run_id,
        first_attempts.started_at as first_started_at,
        coalesce(further.last_started_at, first_attempts.started_at) as last_started_at,
        first_attempts.request_date_utc as usage_date_utc,
        first_attempts.usage_date,
        first_attempts.tenant_id,
        first_attempts.endpoint_tag,
        first_attempts.environment,
        first_attempts.data_mode,
        first_attempts.is_in_scope,
        first_attempts.prompt_version,
        first_attempts.provider,
        first_attempts.model,
        first_attempts.workflow_id,
        case when first_attempts.is_useful or further.is_useful then 'success' else 'failed' end as outcome,
        cast(
            case when first_attempts.is_useful then first_attempts.task_succeeded else further.task_succeeded end
            as boolean
        ) as task_succeeded,
        1 + coalesce(further.attempts, 0) as attempts,
        case when first_attempts.is_retry then 1 else 0 end + coalesce(further.retries, 0) as retries,
        coalesce(first_attempts.input_tokens, 0) + coalesce(further.input_tokens, 0) as input_tokens,
        coalesce(first_attempts.cached_input_tokens, 0) + coalesce(further.cached_input_tokens, 0)
            as cached_input_tokens,
        coalesce(first_attempts.output_tokens, 0) + coalesce(further.output_tokens, 0) as output_tokens,
        coalesce(first_attempts.latency_ms, 0) + coalesce(further.total_latency_ms, 0) as total_latency_ms,
        case when first_attempts.cost_usd is null then 1 else 0 end + coalesce(further.attempts_without_cost, 0)
            as attempts_without_cost,
        {{ money('coalesce(first_attempts.cost_usd, 0) + coalesce(further.cost_usd, 0)') }} as cost_usd,
        {{ money('coalesce(first_attempts.wasted_cost_usd, 0) + coalesce(further.wasted_cost_usd, 0)') }}
            as wasted_cost_usd
    from first_attempts
    left join further_attempts as further
        on first_attempts.request_key = further.request_key

),

final as (

    select
        request_key,
        source,
        external_request_id,
        run_id,
        first_started_at,
        last_started_at,
        usage_date_utc,
        usage_date,
        tenant_id,
        endpoint_tag,
        environment,
        data_mode,
        is_in_scope,
        prompt_version,
        provider,
        model,
        workflow_id,
        outcome,
        task_succeeded,
        attempts,
        retries,
        input_tokens,
        cached_input_tokens,
        output_tokens,
        total_latency_ms,
        attempts_without_cost,
        cost_usd,
        {{ money('cost_usd - wasted_cost_usd') }} as useful_cost_usd,
        wasted_cost_usd
    from added_up

)

select * from final
