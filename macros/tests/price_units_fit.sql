{#- Fails with the rows whose price unit is not one that their usage type is sold in. -#}
{% test price_units_fit(model) %}
{%- for usage_type, about in usage_types().items() %}
{%- set units = price_units(about.noun) %}
select
    *,
    'price_unit' as fault_column,
    '{{ usage_type }}: {{ units | join(' or ') }}' as fault
from {{ model }}
where
    lower(usage_type) = '{{ usage_type }}'
    and price_unit not in {{ sql_list(units) }}
{{ 'union all' if not loop.last }}
{%- endfor %}
{% endtest %}
