{#- Fails with pairs of rows of one partition whose ranges overlap in every dimension. A range is half-open unless
    `inclusive` is true. `weekdays` names a column of seven digits, 1 for the weekdays on which the row holds. -#}
{% test non_overlapping_ranges(model, key, partition_by, ranges, weekdays=none) %}
select
    one.{{ key }} as one_key,
    another.{{ key }} as another_key
from {{ model }} as one
inner join {{ model }} as another
    on one.{{ key }} < another.{{ key }}
    {%- for column in partition_by %}
    and one.{{ column }} = another.{{ column }}
    {%- endfor %}
    {%- for range in ranges %}
    {%- set before = '<=' if range.get('inclusive') else '<' %}
    and one.{{ range['from'] }} {{ before }} another.{{ range['to'] }}
    and another.{{ range['from'] }} {{ before }} one.{{ range['to'] }}
    {%- endfor %}
{%- if weekdays %}
where
    {%- for day in range(1, 8) %}
    {{ 'or ' if not loop.first }}
    substring(one.{{ weekdays }}, {{ day }}, 1) = '1' and substring(another.{{ weekdays }}, {{ day }}, 1) = '1'
    {%- endfor %}
{%- endif %}
{% endtest %}
