-- What calls cost before their prices changed, read before this run writes them. What a run that stopped had read is
-- kept, for its attempts may be written already.

-- depends_on: {{ ref('int_touched_days') }}

{% set attempts = built_relation('fct_llm_attempts') %}
{% set last_run = relation_of_last_run('int_costs_before') %}
{% set finished = built_relation('int_days_finished') %}
{% set columns = ['source', 'event_id', 'usage_date_utc', 'price_id', 'cost_usd'] %}

{% if attempts -%}
with repriced as (

    select usage_date_utc
    from {{ ref('int_touched_days') }}
    where has_other_prices

),

final as (

    select
        attempts.{{ columns | join(',\n        attempts.') }},
        '{{ invocation_id }}' as first_run_id,
        '{{ invocation_id }}' as run_id
    from {{ attempts }} as attempts
    inner join repriced
        on attempts.usage_date_utc = repriced.usage_date_utc
    where {{ between_days_of('attempts.usage_date_utc', 'int_touched_days') }}

    {% if last_run and finished -%}
    union all

    select
        last_run.{{ columns | join(',\n        last_run.') }},
        last_run.first_run_id,
        '{{ invocation_id }}' as run_id
    from {{ last_run }} as last_run
    left join {{ finished }} as finished
        on last_run.run_id = finished.run_id
    left join repriced
        on last_run.usage_date_utc = repriced.usage_date_utc
    where
        finished.run_id is null
        and repriced.usage_date_utc is null
    {%- endif %}

)

select * from final
{%- else -%}
select
    source,
    event_id,
    usage_date_utc,
    model as price_id,
    reported_cost_usd as cost_usd,
    '' as first_run_id,
    '' as run_id
from {{ ref('int_usage_events_identified') }}
where 1 = 0
{%- endif %}
