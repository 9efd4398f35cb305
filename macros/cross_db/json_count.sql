{#- The whole number under a key of a flat json object; null where it is not there. -#}
{% macro json_count(expression, key) -%}
    {{ return(adapter.dispatch('json_count', 'llm_spend')(expression, key)) }}
{%- endmacro %}

{% macro default__json_count(expression, key) -%}
cast(json_extract_string({{ expression }}, '$.{{ key }}') as {{ dbt.type_bigint() }})
{%- endmacro %}

{#- A regular expression: the object is flat, and of a key that stands twice every engine then takes the first. -#}
{% macro postgres__json_count(expression, key) -%}
cast(substring({{ expression }} from '"{{ key }}" *: *([0-9]+)') as {{ dbt.type_bigint() }})
{%- endmacro %}

{% macro clickhouse__json_count(expression, key) -%}
toInt64OrNull(extract({{ expression }}, '"{{ key }}" *: *([0-9]+)'))
{%- endmacro %}

{% macro spark__json_count(expression, key) -%}
cast(nullif(regexp_extract({{ expression }}, '"{{ key }}" *: *([0-9]+)', 1), '') as {{ dbt.type_bigint() }})
{%- endmacro %}

{% macro snowflake__json_count(expression, key) -%}
cast(regexp_substr({{ expression }}, '"{{ key }}" *: *([0-9]+)', 1, 1, 'e', 1) as {{ dbt.type_bigint() }})
{%- endmacro %}

{% macro bigquery__json_count(expression, key) -%}
cast(regexp_extract({{ expression }}, '"{{ key }}" *: *([0-9]+)') as {{ dbt.type_bigint() }})
{%- endmacro %}
