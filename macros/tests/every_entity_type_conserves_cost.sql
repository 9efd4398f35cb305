{#- Fails with the entity types whose dollars, requests or attempts are not the whole's. -#}
{% test every_entity_type_conserves_cost(model, other) %}
with whole as (

    select
        sum(cost_usd) as cost_usd,
        sum(requests) as requests,
        sum(attempts) as attempts
    from {{ other }}
    where is_in_scope

),

by_type as (

    select
        entity_type,
        sum(cost_usd) as cost_usd,
        sum(requests) as requests,
        sum(attempts) as attempts
    from {{ model }}
    group by entity_type

)

select by_type.*
from by_type
cross join whole
where
    by_type.cost_usd != whole.cost_usd
    or by_type.requests != whole.requests
    or by_type.attempts != whole.attempts
{% endtest %}
