{#- The word at a place of a text of words with one space between, the first being 1; empty or null where there is none. -#}
{% macro text_word(text_expression, place) -%}
    {{ return(adapter.dispatch('text_word', 'llm_spend')(text_expression, place)) }}
{%- endmacro %}

{% macro default__text_word(text_expression, place) -%}
{{ dbt.split_part(text_expression, "' '", place) }}
{%- endmacro %}

{#- dbt's own fails at a place without a word. -#}
{% macro spark__text_word(text_expression, place) -%}
split_part({{ text_expression }}, ' ', {{ place }})
{%- endmacro %}

{#- dbt's own refuses a text that may be null. -#}
{% macro clickhouse__text_word(text_expression, place) -%}
splitByChar(' ', coalesce({{ text_expression }}, ''))[{{ place }}]
{%- endmacro %}
