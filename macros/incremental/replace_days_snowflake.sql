{#- Sorted by day, so that a few days are a few parts of a large table. -#}
{% macro snowflake__how_days_are_replaced(day) %}
    {{ return({
        'incremental_strategy': 'replace_days',
        'on_schema_change': 'append_new_columns',
        'cluster_by': [day],
    }) }}
{% endmacro %}

{#- Each statement commits by itself there unless it is told otherwise: nobody may see the days gone. -#}
{% macro snowflake__replace_days_sql(arguments) -%}
begin;
{{ default__replace_days_sql(arguments) }};
commit;
{%- endmacro %}
