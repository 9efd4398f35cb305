{#- A partition is a day. One statement replaces the partitions of a run, and reads no others. -#}
{% macro bigquery__how_days_are_replaced(day) %}
    {{ return({
        'incremental_strategy': 'insert_overwrite',
        'on_schema_change': 'append_new_columns',
        'partition_by': {'field': day, 'data_type': 'date'},
    }) }}
{% endmacro %}

{#- In place of the adapter's own, which leaves the days without rows: it replaces the days that it finds among the new rows.
    dbt finds this macro before its own, in a model of this package. -#}
{% macro bq_insert_overwrite_sql(
    tmp_relation, target_relation, sql, unique_key, partition_by, partitions, dest_columns, tmp_relation_exists,
    copy_partitions
) %}
    {%- set replaced = config.get('meta').replaces_days -%}
    {%- set days = [] -%}
    {%- for date in listed_dates(replaced.days, replaced.day) -%}{%- do days.append("'" ~ date ~ "'") -%}{%- endfor -%}
    {%- if replaces_everything() -%}
        {%- set is_replaced = 'true' -%}
    {%- else -%}
        {%- set is_replaced = 'dbt_internal_dest.' ~ replaced.day ~ ' in (' ~ days | join(', ') ~ ')' if days else 'false' -%}
    {%- endif -%}
    {{ get_insert_overwrite_merge_sql(target_relation, '(select * from ' ~ tmp_relation ~ ')', dest_columns, [is_replaced]) }}
{% endmacro %}

{#- Its merge without a key inserts every row. -#}
{% macro bigquery__how_rows_are_added() %}{{ return('merge') }}{% endmacro %}
