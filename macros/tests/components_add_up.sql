{#- Fails with calls whose cost is not the sum of the costs of their usage types. A reported cost has no parts. -#}
{% test components_add_up(model) %}
select * from {{ model }}
where
    cost_status != 'provider_reported'
    and cost_usd != {% for usage_type in usage_types() %}{{ usage_type }}_cost_usd{{ ' + ' if not loop.last }}{% endfor %}
{% endtest %}
