{#- A date some days later (or earlier). dbt's dateadd answers a timestamp on some engines. -#}
{% macro add_days(date_expression, days) -%}
    {{ return(adapter.dispatch('add_days', 'llm_spend')(date_expression, days)) }}
{%- endmacro %}

{% macro default__add_days(date_expression, days) -%}
cast({{ dbt.dateadd('day', days, date_expression) }} as date)
{%- endmacro %}

{#- dbt's own refuses a null and counts in seconds. -#}
{% macro spark__add_days(date_expression, days) -%}
date_add({{ date_expression }}, {{ days }})
{%- endmacro %}

{% macro bigquery__add_days(date_expression, days) -%}
date_add({{ date_expression }}, interval {{ days }} day)
{%- endmacro %}
