{#- Fails with calls whose cost is not the sum of the costs of their usage types. A reported cost has no parts. -#}
{% test components_add_up(model) %}
select * from {{ model }}
where
    cost_status != 'provider_reported'
    and cost_usd != {{ text_costs_sum() }} + other_cost_usd
{% endtest %}
