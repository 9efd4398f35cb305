{#- `model-20251211` as `model-2025-12-11`, which is how price books write it. -#}
{% macro dash_compact_dates(text_expression) -%}
    {{ return(adapter.dispatch('dash_compact_dates', 'llm_spend')(text_expression)) }}
{%- endmacro %}

{% macro default__dash_compact_dates(text_expression) -%}
regexp_replace({{ text_expression }}, '-(20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(-|:|$)', '-\1-\2-\3\4', 'g')
{%- endmacro %}

{% macro clickhouse__dash_compact_dates(text_expression) -%}
replaceRegexpAll({{ text_expression }}, '-(20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(-|:|$)', '-\\1-\\2-\\3\\4')
{%- endmacro %}

{% macro spark__dash_compact_dates(text_expression) -%}
regexp_replace({{ text_expression }}, '-(20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(-|:|$)', '-$1-$2-$3$4')
{%- endmacro %}

{#- Here a backslash in a text is written twice. -#}
{% macro bigquery__dash_compact_dates(text_expression) -%}
regexp_replace({{ text_expression }}, '-(20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])(-|:|$)', '-\\1-\\2-\\3\\4')
{%- endmacro %}

{% macro snowflake__dash_compact_dates(text_expression) -%}
{{ bigquery__dash_compact_dates(text_expression) }}
{%- endmacro %}
