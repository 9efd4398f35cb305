{#- Fails with the rows on which a condition that must always hold is false or unknown. -#}
{% test expression_holds(model, expression) %}
select * from {{ model }}
where not coalesce({{ expression }}, false)
{% endtest %}
