{#- Is a reported cost far from ours? From a cent and a tenth of ours on: below that it is rounding, or a cache discount the
    client did not know. -#}
{% macro is_far_off(reported_usd, cost_usd) -%}
    {%- set gap = 'abs(' ~ reported_usd ~ ' - ' ~ cost_usd ~ ')' -%}
    {{ gap }} >= cast('0.01' as {{ type_decimal(3, 2) }}) and {{ gap }} >= cast('0.1' as {{ type_decimal(2, 1) }}) * {{ cost_usd }}
{%- endmacro %}
