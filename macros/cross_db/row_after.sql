{#- The value of the next row of a window; null where there is none. -#}
{% macro row_after(expression) -%}
    {{ return(adapter.dispatch('row_after', 'llm_spend')(expression)) }}
{%- endmacro %}

{% macro default__row_after(expression) -%}
lead({{ expression }})
{%- endmacro %}

{% macro clickhouse__row_after(expression) -%}
lead(toNullable({{ expression }}))
{%- endmacro %}
