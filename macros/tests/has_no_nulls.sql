{#- Fails with the rows in which a column that is always known is null, and names the first such column. -#}
{% test has_no_nulls(model, columns) %}
select
    *,
    case
    {%- for column in columns %}
        when {{ column }} is null then '{{ column }}'
    {%- endfor %}
    end as null_column
from {{ model }}
where
    {%- for column in columns %}
    {{ 'or ' if not loop.first }}{{ column }} is null
    {%- endfor %}
{% endtest %}
