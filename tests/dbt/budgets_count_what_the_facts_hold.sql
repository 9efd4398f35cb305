-- What counts against a budget is what the facts hold of its scope: in scope, or all. Users are in no roll-up of facts.

-- Dagster shows a test of several models as a check of the one named here.
{{ config(meta={'dagster': {'ref': {'name': 'int_budget_days_spent'}}}) }}

with counted as (

    select
        scope_type,
        scope_id,
        traffic,
        sum(cost_usd) as cost_usd
    from {{ ref('int_budget_days_spent') }}
    where scope_type != 'user'
    group by scope_type, scope_id, traffic

),

facts as (

    {% for scope_type, column in dict({'total': "'total'"}, **entity_columns()).items() -%}
    select
        '{{ scope_type }}' as scope_type,
        {{ column }} as scope_id,
        sum(case when is_in_scope then cost_usd else 0 end) as in_scope_usd,
        sum(cost_usd) as all_usd
    from {{ ref('fct_daily_spend') }}
    {% if scope_type != 'total' %}group by {{ column }}{% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select counted.*
from counted
left join facts
    on counted.scope_type = facts.scope_type
    and counted.scope_id = facts.scope_id
where
    facts.scope_id is null
    or counted.cost_usd != case when counted.traffic = 'all' then facts.all_usd else facts.in_scope_usd end
