-- What retries multiply: attempts paid for one request, and dollars paid for one dollar of useful answer.

with spend as (

    select * from {{ ref('fct_daily_spend') }}
    where is_in_scope

),

entities as (

    {% for entity_type, column in {'endpoint': 'endpoint_tag', 'tenant': 'tenant_id'}.items() -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        usage_date,
        {{ sum_count('requests') }} as requests,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_count('retries') }} as retries,
        {{ sum_count('useful_attempts') }} as useful_attempts,
        {{ sum_count('error_attempts') }} as error_attempts,
        {{ sum_count('timeout_attempts') }} as timeout_attempts,
        {{ sum_count('rate_limited_attempts') }} as rate_limited_attempts,
        {{ sum_count('cancelled_attempts') }} as cancelled_attempts,
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ sum_money('cost_usd - wasted_cost_usd') }} as useful_cost_usd,
        {{ sum_money('wasted_cost_usd') }} as wasted_cost_usd
    from spend
    group by {{ column }}, usage_date
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        *,
        {{ ratio('attempts', 'requests') }} as retry_multiplier_ratio,
        {{ ratio('cost_usd', 'useful_cost_usd') }} as cost_multiplier_ratio
    from entities

)

select * from final
