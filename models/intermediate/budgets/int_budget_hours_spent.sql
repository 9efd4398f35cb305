-- What counts against an hourly budget. An alert is about the last weeks, and hours add up fast.

{% set days_kept = 35 %}
{% set scope = 'scope_type, scope_id, traffic' %}

with scopes as (

    select distinct {{ scope }}
    from {{ ref('stg_config__budgets') }}
    where period = 'hourly'

),

hours as (

    select
        'total' as everything,
        usage_hour,
        is_in_scope,
        cost_usd,
        {{ hourly_entity_columns().values() | join(',\n        ') }}
    from {{ ref('fct_hourly_spend') }}
    where
        {{ since_days_ago('usage_date', days_kept) }}
        and usage_date >= {{ add_days(as_of_date(), -1 * days_kept) }}
        and usage_hour <= {{ in_reporting_timezone(as_of()) }}

),

spent as (

    {% for scope_type, column in dict({'total': 'everything'}, **hourly_entity_columns()).items() -%}
    select
        scopes.scope_type,
        scopes.scope_id,
        scopes.traffic,
        hours.usage_hour,
        hours.cost_usd
    from hours
    inner join scopes
        on hours.{{ column }} = scopes.scope_id
    where
        scopes.scope_type = '{{ scope_type }}'
        and (hours.is_in_scope or scopes.traffic = 'all')
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (

    select
        {{ scope }},
        usage_hour,
        cast(usage_hour as date) as usage_date,
        {{ sum_money('cost_usd') }} as cost_usd
    from spent
    group by {{ scope }}, usage_hour

)

select * from final
