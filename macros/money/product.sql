{#- The product of whole numbers and decimals with all digits of both. `decimals` is how many it may have behind the point,
    where that is more than 12. -#}
{% macro product(factor, other_factor, decimals=none) -%}
    {{ return(adapter.dispatch('product', 'llm_spend')(factor, other_factor, decimals)) }}
{%- endmacro %}

{% macro default__product(factor, other_factor, decimals) -%}
{{ factor }} * {{ other_factor }}
{%- endmacro %}

{#- ClickHouse keeps the width of the wider factor, in which the digits of both may have no room. -#}
{% macro clickhouse__product(factor, other_factor, decimals) -%}
cast(1 as decimal(38, 0)) * {{ factor }} * {{ other_factor }}
{%- endmacro %}

{#- Snowflake keeps no more decimals than the wider factor has, or 12. -#}
{% macro snowflake__product(factor, other_factor, decimals) -%}
{{ factor if decimals is none else 'cast(' ~ factor ~ ' as decimal(38, ' ~ decimals ~ '))' }} * {{ other_factor }}
{%- endmacro %}
