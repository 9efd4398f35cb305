{#- The product of whole numbers and decimals with all digits of both. -#}
{% macro product(factor, other_factor) -%}
    {{ return(adapter.dispatch('product', 'llm_spend')(factor, other_factor)) }}
{%- endmacro %}

{% macro default__product(factor, other_factor) -%}
{{ factor }} * {{ other_factor }}
{%- endmacro %}

{#- ClickHouse keeps the width of the wider factor, in which the digits of both may have no room. -#}
{% macro clickhouse__product(factor, other_factor) -%}
cast(1 as decimal(38, 0)) * {{ factor }} * {{ other_factor }}
{%- endmacro %}
