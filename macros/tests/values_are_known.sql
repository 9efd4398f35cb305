{#- Fails with the rows on which a column names something that another file does not have: it would silently do nothing.
    `also` are words that are known beside it. -#}
{% test values_are_known(model, column, known, also=[]) %}
select
    named.*,
    '{{ column }}' as fault_column
from {{ model }} as named
left join {{ known }} as known
    on named.{{ column }} = known.{{ column }}
where
    coalesce(named.{{ column }}, '') not in {{ sql_list([''] + also) }}
    and known.{{ column }} is null
{% endtest %}
