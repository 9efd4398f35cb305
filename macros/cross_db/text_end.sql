{#- The last characters of a text. -#}
{% macro text_end(text_expression, characters) -%}
    {{ return(adapter.dispatch('text_end', 'llm_spend')(text_expression, characters)) }}
{%- endmacro %}

{% macro default__text_end(text_expression, characters) -%}
{{ dbt.right(text_expression, characters) }}
{%- endmacro %}

{% macro clickhouse__text_end(text_expression, characters) -%}
rightUTF8({{ text_expression }}, {{ characters }})
{%- endmacro %}
