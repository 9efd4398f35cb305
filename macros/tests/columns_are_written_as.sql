{#- Fails with the rows on which a text column is not written in a form of `text_forms()`. Blank is fine. -#}
{% test columns_are_written_as(model, columns, form) %}
{%- for column in columns %}
select
    *,
    '{{ column }}' as fault_column
from {{ model }}
where
    {{ column }} is not null
    and not {{ is_written_as(column, form) }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endtest %}
