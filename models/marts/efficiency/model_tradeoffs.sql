-- What each model of an endpoint costs and achieves, side by side, over the last four weeks of whole days.

with spend as (

    select
        endpoint_tag,
        provider,
        model,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_count('requests') }} as requests,
        {{ sum_count('useful_attempts') }} as useful_attempts,
        {{ sum_count('judged_tasks') }} as judged_tasks,
        {{ sum_count('successful_tasks') }} as successful_tasks,
        {{ sum_count('succeeded_tasks') }} as succeeded_tasks,
        {{ sum_count('timed_attempts') }} as timed_attempts,
        {{ sum_count('total_latency_ms') }} as total_latency_ms,
        {{ sum_count('input_tokens') }} as input_tokens,
        {{ sum_count('output_tokens') }} as output_tokens,
        {{ sum_count('attempts_without_cost') }} as attempts_without_cost,
        {{ sum_money('cost_usd') }} as cost_usd
    from {{ ref('fct_daily_spend') }}
    where
        is_in_scope
        and {{ in_last_days('usage_date', 28) }}
    group by endpoint_tag, provider, model

),

final as (

    select
        endpoint_tag,
        provider,
        model,
        attempts,
        requests,
        {{ ratio('requests', 'sum(requests) over (partition by endpoint_tag)') }} as share_of_requests_ratio,
        {{ ratio('useful_attempts', 'attempts') }} as success_ratio,
        judged_tasks,
        {{ ratio('succeeded_tasks', 'judged_tasks') }} as task_success_ratio,
        {{ ratio('total_latency_ms', 'timed_attempts') }} as average_latency_ms,
        input_tokens,
        output_tokens,
        attempts_without_cost,
        cost_usd,
        {{ derived_usd(ratio('cost_usd', 'attempts')) }} as cost_per_attempt_usd,
        {{ derived_usd(ratio('cost_usd', 'successful_tasks')) }} as cost_per_success_usd,
        {{ derived_usd(ratio('cost_usd * 1000000', 'output_tokens')) }} as cost_per_million_output_usd
    from spend

)

select * from final
