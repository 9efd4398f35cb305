{#- The character that ends a line. -#}
{% macro line_break() %}{{ return(adapter.dispatch('line_break', 'llm_spend')()) }}{% endmacro %}
{% macro default__line_break() %}chr(10){% endmacro %}

{% macro clickhouse__line_break() %}char(10){% endmacro %}
