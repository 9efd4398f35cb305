{#- Fails with names that are counted under a name which is itself counted under another: they would be half moved. -#}
{% test aliases_are_resolved(model, canonical, within=[]) %}
select one.alias
from {{ model }} as one
inner join {{ model }} as another
    on one.{{ canonical }} = another.alias
    {%- for column in within %}
    and one.{{ column }} = another.{{ column }}
    {%- endfor %}
where
    one.{{ canonical }} != one.alias
    and another.{{ canonical }} != another.alias
{% endtest %}
