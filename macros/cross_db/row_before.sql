{#- The value of the row before, of a window; null where there is none. -#}
{% macro row_before(expression) -%}
    {{ return(adapter.dispatch('row_before', 'llm_spend')(expression)) }}
{%- endmacro %}

{% macro default__row_before(expression) -%}
lag({{ expression }})
{%- endmacro %}

{% macro clickhouse__row_before(expression) -%}
lag(toNullable({{ expression }}))
{%- endmacro %}
