-- What retries multiply: attempts paid for one request, and dollars paid for one dollar of useful answer. And two
-- habits that make them dear: trying again at once, and trying again under a new id, where no retry shows.

{% set causes = ['error', 'timeout', 'rate_limited', 'cancelled'] %}
{% set entity_types = {'endpoint': 'endpoint_tag', 'tenant': 'tenant_id'} %}

with spend as (

    select * from {{ ref('fct_daily_spend') }}
    where is_in_scope

),

entities as (

    {% for entity_type, column in entity_types.items() -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        usage_date,
        {{ sum_count('requests') }} as requests,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_count('retries') }} as retries,
        {{ sum_count('quick_retries') }} as quick_retries,
        {{ sum_count('retry_wait_ms') }} as retry_wait_ms,
        {{ sum_count('useful_attempts') }} as useful_attempts,
        {% for cause in causes -%}
        {{ sum_count(cause ~ '_attempts') }} as {{ cause }}_attempts,
        {{ sum_money(cause ~ '_wasted_cost_usd') }} as {{ cause }}_wasted_cost_usd,
        {% endfor -%}
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ sum_money('cost_usd - wasted_cost_usd') }} as useful_cost_usd,
        {{ sum_money('wasted_cost_usd') }} as wasted_cost_usd
    from spend
    group by {{ column }}, usage_date
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

hidden_retries as (

    {% for entity_type, column in entity_types.items() -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        usage_date,
        {{ sum_count('hidden_retries') }} as hidden_retries,
        {{ sum_money('cost_usd') }} as hidden_retries_cost_usd
    from {{ ref('int_hidden_retries') }}
    group by {{ column }}, usage_date
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        entities.entity_type as entity_type,
        entities.entity_id as entity_id,
        entities.usage_date as usage_date,
        entities.requests,
        entities.attempts,
        entities.retries,
        entities.useful_attempts,
        entities.quick_retries,
        {{ ratio('entities.retry_wait_ms', '1000 * (entities.attempts - entities.requests)') }} as retry_wait_seconds,
        coalesce(hidden_retries.hidden_retries, 0) as hidden_retries,
        {{ money('coalesce(hidden_retries.hidden_retries_cost_usd, 0)') }} as hidden_retries_cost_usd,
        {% for cause in causes -%}
        entities.{{ cause }}_attempts,
        entities.{{ cause }}_wasted_cost_usd,
        {% endfor -%}
        entities.cost_usd,
        entities.useful_cost_usd,
        entities.wasted_cost_usd,
        {{ ratio('entities.attempts', 'entities.requests') }} as retry_multiplier_ratio,
        {{ ratio('entities.cost_usd', 'entities.useful_cost_usd') }} as cost_multiplier_ratio
    from entities
    left join hidden_retries
        on entities.entity_type = hidden_retries.entity_type
        and entities.entity_id = hidden_retries.entity_id
        and entities.usage_date = hidden_retries.usage_date

)

select * from final
