{#- How many days the second date is after the first. -#}
{% macro days_between(first_date, second_date) -%}
    {{ return(adapter.dispatch('days_between', 'llm_spend')(first_date, second_date)) }}
{%- endmacro %}

{% macro default__days_between(first_date, second_date) -%}
{{ dbt.datediff(first_date, second_date, 'day') }}
{%- endmacro %}

{#- dbt's own refuses a null. -#}
{% macro spark__days_between(first_date, second_date) -%}
datediff({{ second_date }}, {{ first_date }})
{%- endmacro %}

{% macro bigquery__days_between(first_date, second_date) -%}
date_diff({{ second_date }}, {{ first_date }}, day)
{%- endmacro %}
