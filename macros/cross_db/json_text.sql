{#- A text as a json string, quoted and escaped. -#}
{% macro json_text(expression) -%}
    {{ return(adapter.dispatch('json_text', 'llm_spend')(expression)) }}
{%- endmacro %}

{% macro default__json_text(expression) -%}
cast(to_json(cast({{ expression }} as {{ dbt.type_string() }})) as {{ dbt.type_string() }})
{%- endmacro %}

{#- ClickHouse writes a null as a word, and escapes a slash, which needs it not. -#}
{% macro clickhouse__json_text(expression) -%}
case
    when {{ expression }} is not null
        then replaceAll(toJSONString({{ expression }}), concat(char(92), '/'), '/')
end
{%- endmacro %}

{#- As the one element of an array: Spark writes no json of a text alone. -#}
{% macro spark__json_text(expression) -%}
    {%- set array = 'to_json(array(' ~ expression ~ '))' -%}
case when {{ expression }} is not null then substring({{ array }}, 2, length({{ array }}) - 2) end
{%- endmacro %}

{% macro snowflake__json_text(expression) -%}
to_json(to_variant({{ expression }}))
{%- endmacro %}

{#- BigQuery writes a null as a word. -#}
{% macro bigquery__json_text(expression) -%}
case when {{ expression }} is not null then to_json_string({{ expression }}) end
{%- endmacro %}
