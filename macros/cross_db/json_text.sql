{#- A text as a json string, quoted and escaped. -#}
{% macro json_text(expression) -%}
    {{ return(adapter.dispatch('json_text', 'llm_spend')(expression)) }}
{%- endmacro %}

{% macro default__json_text(expression) -%}
cast(to_json(cast({{ expression }} as {{ dbt.type_string() }})) as {{ dbt.type_string() }})
{%- endmacro %}
