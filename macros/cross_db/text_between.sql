{#- What stands in a text between one given text and the next of another; empty or null where the first is not in it. -#}
{% macro text_between(text_expression, before, after) -%}
    {{ return(adapter.dispatch('text_between', 'llm_spend')(text_expression, before, after)) }}
{%- endmacro %}

{% macro default__text_between(text_expression, before, after) -%}
split_part(split_part({{ text_expression }}, '{{ before }}', 2), '{{ after }}', 1)
{%- endmacro %}

{% macro clickhouse__text_between(text_expression, before, after) -%}
splitByString('{{ after }}', splitByString('{{ before }}', coalesce({{ text_expression }}, ''))[2])[1]
{%- endmacro %}

{% macro bigquery__text_between(text_expression, before, after) -%}
split(split({{ text_expression }}, '{{ before }}')[safe_offset(1)], '{{ after }}')[safe_offset(0)]
{%- endmacro %}
