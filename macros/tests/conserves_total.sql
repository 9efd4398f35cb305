{#- Fails when a column's sum differs from another relation's, to the last digit: nothing was dropped or counted twice. -#}
{% test conserves_total(model, column_name, other, other_column=none, where='1 = 1', other_where='1 = 1') %}
with totals as (

    select
        (select coalesce(sum({{ column_name }}), 0) from {{ model }} where {{ where }}) as total,
        (select coalesce(sum({{ other_column or column_name }}), 0) from {{ other }} where {{ other_where }}) as other_total

)

select * from totals
where total != other_total
{% endtest %}
