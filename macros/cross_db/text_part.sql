{#- The characters of a text from a place on, the first being 1: so many, or all. -#}
{% macro text_part(text_expression, place, characters=none) -%}
    {{ return(adapter.dispatch('text_part', 'llm_spend')(text_expression, place, characters)) }}
{%- endmacro %}

{% macro default__text_part(text_expression, place, characters) -%}
substring({{ text_expression }}, {{ place }}{{ ', ' ~ characters if characters is not none }})
{%- endmacro %}

{% macro clickhouse__text_part(text_expression, place, characters) -%}
substringUTF8({{ text_expression }}, {{ place }}{{ ', ' ~ characters if characters is not none }})
{%- endmacro %}
