{#- Money: 28 digits, 12 behind the point, so that a million calls of $0.0000004 still add up. -#}
{% macro type_money() %}decimal(28, 12){% endmacro %}

{#- A price of one unit in USD. 17 digits: `bigint * decimal(17, 12)` keeps its scale on every engine. -#}
{% macro type_unit_price() %}decimal(17, 12){% endmacro %}

{#- Ratios and percentages, never money. -#}
{% macro type_ratio() %}{{ return(adapter.dispatch('type_ratio', 'llm_spend')()) }}{% endmacro %}
{% macro default__type_ratio() %}double precision{% endmacro %}
{% macro spark__type_ratio() %}double{% endmacro %}
