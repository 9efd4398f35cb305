-- Additive sums by every dimension a question is asked of. `requests` counts first attempts, so it adds up too.

{{ replaces_days(day='usage_date', days='int_touched_dates') }}

-- depends_on: {{ ref('int_touched_dates') }}

{% set dimensions = [
    'usage_date', 'is_in_scope', 'environment', 'data_mode', 'tenant_id', 'team', 'endpoint_tag', 'prompt_version',
    'feature_name', 'agent_id', 'workflow_id', 'cost_group', 'project_id', 'api_key_id', 'provider', 'model',
    'service_tier', 'user_type',
] %}

with attempts as (

    select * from {{ ref('fct_llm_attempts') }}
    {%- if is_incremental() %}
    where {{ attempts_on_touched_dates() }}
    {%- endif %}

),

final as (

    select
        {{ dimensions | join(',\n        ') }},
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_count('case when is_first_attempt then 1 else 0 end') }} as requests,
        {{ sum_count('case when is_retry then 1 else 0 end') }} as retries,
        {{ sum_count('case when is_useful then 1 else 0 end') }} as useful_attempts,
        {{ sum_count("case when status = 'error' then 1 else 0 end") }} as error_attempts,
        {{ sum_count("case when status = 'timeout' then 1 else 0 end") }} as timeout_attempts,
        {{ sum_count("case when status = 'rate_limited' then 1 else 0 end") }} as rate_limited_attempts,
        {{ sum_count("case when status = 'cancelled' then 1 else 0 end") }} as cancelled_attempts,
        {{ sum_count('case when ms_since_previous_attempt < 1000 then 1 else 0 end') }} as quick_retries,
        {{ sum_count('coalesce(ms_since_previous_attempt, 0)') }} as retry_wait_ms,
        {{ sum_count('case when task_succeeded then 1 else 0 end') }} as succeeded_tasks,
        {{ sum_count('case when task_succeeded is not null then 1 else 0 end') }} as judged_tasks,
        {{ sum_count('case when coalesce(task_succeeded, is_useful) then 1 else 0 end') }} as successful_tasks,
        {{ sum_count('case when latency_ms is not null then 1 else 0 end') }} as timed_attempts,
        {{ sum_count('coalesce(latency_ms, 0)') }} as total_latency_ms,
        {{ sum_count('case when cache_hit then 1 else 0 end') }} as cache_hits,
        {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
        {{ sum_count('coalesce(cached_input_tokens, 0)') }} as cached_input_tokens,
        {{ sum_count('coalesce(cache_write_tokens, 0)') }} as cache_write_tokens,
        {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
        {{ sum_count('coalesce(reasoning_tokens, 0)') }} as reasoning_tokens,
        {{ sum_count('case when cost_usd is null then 1 else 0 end') }} as attempts_without_cost,
        {{ sum_money('coalesce(list_cost_usd, 0)') }} as list_cost_usd,
        {{ sum_money('coalesce(cost_usd, 0)') }} as cost_usd,
        {{ sum_money('coalesce(input_cost_usd, 0)') }} as input_cost_usd,
        {{ sum_money('coalesce(cached_input_cost_usd, 0)') }} as cached_input_cost_usd,
        {{ sum_money('coalesce(cache_write_cost_usd + cache_write_1h_cost_usd, 0)') }} as cache_writes_cost_usd,
        {{ sum_money('coalesce(output_cost_usd + reasoning_cost_usd, 0)') }} as output_cost_usd,
        {{ sum_money('coalesce(cache_savings_usd, 0)') }} as cache_savings_usd,
        {{ sum_money('coalesce(wasted_cost_usd, 0)') }} as wasted_cost_usd,
        {%- for status in ['error', 'timeout', 'rate_limited', 'cancelled'] %}
        {{ sum_money("case when status = '" ~ status ~ "' then coalesce(wasted_cost_usd, 0) else 0 end") }}
            as {{ status }}_wasted_cost_usd,
        {%- endfor %}
        {{ sum_money('coalesce(reported_cost_usd, 0)') }} as reported_cost_usd
    from attempts
    group by
        {{ dimensions | join(',\n        ') }}

)

select * from final
