{#- Fails with the rows on which a required column is blank. -#}
{% test columns_are_filled(model, columns) %}
{%- for column in columns %}
select
    *,
    '{{ column }}' as fault_column
from {{ model }}
where coalesce(trim({{ column }}), '') = ''
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endtest %}
