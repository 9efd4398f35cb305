{#- Fails with the rows on which a column holds a word that is not one of its own. Blank is fine. -#}
{% test columns_are_words(model, words) %}
{%- for column, known in words.items() %}
select
    *,
    '{{ column }}' as fault_column,
    '{{ known | join(', ') }}' as fault
from {{ model }}
where coalesce({{ column }}, '') not in {{ sql_list([''] + known | list) }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endtest %}
