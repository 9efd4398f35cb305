-- Whom to ask about an incident: the calls of its entity in the period that opened it, or in the last day of a longer
-- one. They were all known when it opened, so what is said of an incident stays true while it lasts.

{{ config(materialized='table') }}

with incidents as (

    select
        *,
        cast(judged_from as date) as judged_date
    from {{ ref('int_incidents_opened') }}

),

final as (

    select
        incidents.alert_id as alert_id,
        coalesce(attempts.external_request_id, attempts.event_id) as request_id,
        {%- for column in entity_columns().values() %}
        attempts.{{ column }} as {{ column }},
        {%- endfor %}
        attempts.prompt_version,
        attempts.service_tier,
        attempts.user_id,
        attempts.run_id,
        incidents.periods_per_day = 24 or incidents.entity_type in {{ sql_list(caller_columns().keys() | list) }}
            as is_in_no_roll_up,
        1 as attempts,
        case when attempts.is_first_attempt then 1 else 0 end as requests,
        case when attempts.cost_usd is null then 1 else 0 end as attempts_without_cost,
        {%- for column in ['input_tokens', 'cached_input_tokens', 'cache_write_tokens', 'output_tokens'] %}
        coalesce(attempts.{{ column }}, 0) as {{ column }},
        {%- endfor %}
        {%- for column in ['cost_usd', 'input_cost_usd', 'cached_input_cost_usd'] %}
        {{ money('coalesce(attempts.' ~ column ~ ', 0)') }} as {{ column }},
        {%- endfor %}
        {{ money('coalesce(attempts.cache_write_cost_usd + attempts.cache_write_1h_cost_usd, 0)') }}
            as cache_writes_cost_usd,
        {{ money('coalesce(attempts.output_cost_usd + attempts.reasoning_cost_usd, 0)') }} as output_cost_usd
    from {{ ref('fct_llm_attempts') }} as attempts
    inner join incidents
        on attempts.usage_date = incidents.judged_date
        and attempts.usage_hour >= incidents.judged_from
        and attempts.usage_hour < incidents.opening_period_end
        and {{ is_about_entity('attempts', 'incidents') }}
    where attempts.is_in_scope or {{ is_of_all_traffic('incidents.period_type') }}

)

select * from final
