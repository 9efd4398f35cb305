-- What counts against a budget, day by day, kept because the marts of budgets and alerts read it several times. Only a
-- budget of all traffic needs the roll-up that holds the rest.

{{ config(materialized='table') }}

{% set scope = 'scope_type, scope_id, traffic' %}

with scopes as (

    select distinct {{ scope }}
    from {{ ref('stg_config__budgets') }}
    where period != 'hourly'

),

in_scope as (

    select
        scopes.scope_type,
        scopes.scope_id,
        scopes.traffic,
        entities.usage_date,
        entities.cost_usd
    from {{ ref('entity_daily_spend') }} as entities
    inner join scopes
        on entities.entity_type = scopes.scope_type
        and entities.entity_id = scopes.scope_id

),

rest as (

    select
        'total' as everything,
        usage_date,
        cost_usd,
        {{ entity_columns().values() | join(',\n        ') }}
    from {{ ref('fct_daily_spend') }}
    where not is_in_scope

),

spent as (

    select * from in_scope

    {% for scope_type, column in dict({'total': 'everything'}, **entity_columns()).items() -%}
    union all

    select
        scopes.scope_type,
        scopes.scope_id,
        scopes.traffic,
        rest.usage_date,
        rest.cost_usd
    from rest
    inner join scopes
        on rest.{{ column }} = scopes.scope_id
    where
        scopes.scope_type = '{{ scope_type }}'
        and scopes.traffic = 'all'

    {% endfor %}
),

final as (

    select
        {{ scope }},
        usage_date,
        {{ sum_money('cost_usd') }} as cost_usd
    from spent
    group by {{ scope }}, usage_date

)

select * from final
