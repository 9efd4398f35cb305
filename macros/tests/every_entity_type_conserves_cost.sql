{#- Fails with the entity types whose dollars, requests or attempts are not the whole's, and when there is none. -#}
{% test every_entity_type_conserves_cost(model, other) %}
with whole as (

    select
        1 as everything,
        sum(cost_usd) as cost_usd,
        sum(requests) as requests,
        sum(attempts) as attempts
    from {{ other }}
    where is_in_scope

),

by_type as (

    select
        1 as everything,
        entity_type,
        sum(cost_usd) as cost_usd,
        sum(requests) as requests,
        sum(attempts) as attempts
    from {{ model }}
    group by entity_type

)

select by_type.*
from whole
left join by_type
    on whole.everything = by_type.everything
where
    coalesce(by_type.cost_usd, 0) != coalesce(whole.cost_usd, 0)
    or coalesce(by_type.requests, 0) != coalesce(whole.requests, 0)
    or coalesce(by_type.attempts, 0) != coalesce(whole.attempts, 0)
{% endtest %}
