-- Whole requests by the day they began, with sums of squares, so that a mean and its uncertainty need no second look at
-- the attempts.

{{ replaces_days(day='usage_date', days='int_touched_dates') }}

-- depends_on: {{ ref('int_touched_dates') }}

with requests as (

    select * from {{ ref('fct_llm_requests') }}
    {%- if is_incremental() %}
    where {{ on_days_of('usage_date', 'int_touched_dates', 'usage_date') }}
    {%- endif %}

),

-- Only requests whose cost is wholly known can be compared: an unknown cost must not pull a mean towards zero.
compared as (

    select
        *,
        attempts_without_cost = 0 as is_comparable,
        cast(round(cost_usd, 9) as {{ type_decimal(18, 9) }}) as cost_usd_rounded,
        cast(input_tokens + output_tokens as {{ type_decimal(19, 0) }}) as tokens
    from requests

),

final as (

    select
        usage_date,
        is_in_scope,
        tenant_id,
        endpoint_tag,
        prompt_version,
        model,
        cast(count(*) as {{ dbt.type_bigint() }}) as requests,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_count("case when outcome = 'success' then 1 else 0 end") }} as successful_requests,
        {{ sum_count("case when outcome = 'failed' then 1 else 0 end") }} as failed_requests,
        {{ sum_count('case when task_succeeded then 1 else 0 end') }} as succeeded_tasks,
        {{ sum_count('input_tokens') }} as input_tokens,
        {{ sum_count('cached_input_tokens') }} as cached_input_tokens,
        {{ sum_count('output_tokens') }} as output_tokens,
        {{ sum_count('total_latency_ms') }} as total_latency_ms,
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ sum_money('wasted_cost_usd') }} as wasted_cost_usd,
        {{ sum_count('case when is_comparable then 1 else 0 end') }} as comparable_requests,
        {{ sum_money('case when is_comparable then cost_usd else 0 end') }} as comparable_cost_usd,
        cast(
            sum(
                case
                    when is_comparable then {{ product('cost_usd_rounded', 'cost_usd_rounded', decimals=18) }}
                    else 0
                end
            )
            as {{ type_decimal(38, 18) }}
        ) as comparable_cost_usd_sum_of_squares,
        {{ sum_count('case when is_comparable then tokens else 0 end') }} as comparable_tokens,
        cast(
            sum(case when is_comparable then {{ product('tokens', 'tokens') }} else 0 end) as {{ type_decimal(38, 0) }}
        ) as comparable_tokens_sum_of_squares
    from compared
    group by usage_date, is_in_scope, tenant_id, endpoint_tag, prompt_version, model

)

select * from final
