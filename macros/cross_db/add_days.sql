{#- A date some days later (or earlier). dbt's dateadd answers a timestamp on some engines. -#}
{% macro add_days(date_expression, days) -%}
cast({{ dbt.dateadd('day', days, date_expression) }} as date)
{%- endmacro %}
