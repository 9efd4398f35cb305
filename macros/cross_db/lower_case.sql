{#- A text in lower case, of whatever alphabet. -#}
{% macro lower_case(text_expression) -%}
    {{ return(adapter.dispatch('lower_case', 'llm_spend')(text_expression)) }}
{%- endmacro %}

{% macro default__lower_case(text_expression) -%}
lower({{ text_expression }})
{%- endmacro %}

{% macro clickhouse__lower_case(text_expression) -%}
lowerUTF8({{ text_expression }})
{%- endmacro %}
