{#- Fails with pairs of rows of one key on which a column differs. Blank is a value like any other. -#}
{% test columns_follow_key(model, key, columns) %}
{%- for column in columns %}
select
    '{{ column }} differs' as fault
    {%- for shown in [key] + columns %},
    one.{{ shown }},
    another.{{ shown }} as other_{{ shown }}
    {%- endfor %}
from {{ model }} as one
inner join {{ model }} as another
    on one.{{ key }} = another.{{ key }}
    and coalesce(one.{{ column }}, '') < coalesce(another.{{ column }}, '')
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endtest %}
