{#- A timestamp some hours later, to the microsecond; null of a null. -#}
{% macro add_hours(timestamp_expression, hours) -%}
    {{ return(adapter.dispatch('add_hours', 'llm_spend')(timestamp_expression, hours)) }}
{%- endmacro %}

{% macro default__add_hours(timestamp_expression, hours) -%}
{{ dbt.dateadd('hour', hours, timestamp_expression) }}
{%- endmacro %}

{#- dbt's own refuses a null and counts in seconds. -#}
{% macro spark__add_hours(timestamp_expression, hours) -%}
{{ timestamp_expression }} + interval {{ hours }} hours
{%- endmacro %}

{#- dbt's own answers a datetime, which compares with no timestamp. -#}
{% macro bigquery__add_hours(timestamp_expression, hours) -%}
timestamp_add({{ timestamp_expression }}, interval {{ hours }} hour)
{%- endmacro %}
