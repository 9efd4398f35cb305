{#- How many characters a text has. -#}
{% macro text_length(text_expression) -%}
    {{ return(adapter.dispatch('text_length', 'llm_spend')(text_expression)) }}
{%- endmacro %}

{% macro default__text_length(text_expression) -%}
length({{ text_expression }})
{%- endmacro %}

{% macro clickhouse__text_length(text_expression) -%}
lengthUTF8({{ text_expression }})
{%- endmacro %}
