{#- Parquet files know no delete. Each day is a partition, and a day that is written again replaces its own. -#}
{% macro spark__how_days_are_replaced(day) %}
    {{ return({
        'incremental_strategy': 'insert_overwrite',
        'on_schema_change': 'append_new_columns',
        'partition_by': [day],
        'pre_hook': '{{ llm_spend.note_files_of_days() }}',
        'post_hook': '{{ llm_spend.drop_days_not_written() }}',
    }) }}
{% endmacro %}

{#- Which rows a run replaces. -#}
{% macro replaced_rows() -%}
    {%- set replaced = config.get('meta').replaces_days -%}
    {{ return('1 = 1' if replaces_everything() else on_days_of(replaced.day, replaced.days, replaced.day)) }}
{%- endmacro %}

{#- Nothing overwrites a day without rows left. It is the one that still has its old files afterwards. -#}
{% macro note_files_of_days() -%}
    {%- if execute -%}
        {%- set files = [] -%}
        {%- if load_relation(this) -%}
            {%- set query = 'select distinct _metadata.file_name from ' ~ this ~ ' where ' ~ replaced_rows() -%}
            {%- do files.extend(run_query(query).columns[0].values()) -%}
        {%- endif -%}
        create or replace temporary view {{ this.identifier }}__old_files as
        select explode(cast(array({{ "'" ~ files | join("', '") ~ "'" if files }}) as array<string>)) as file_name
    {%- endif -%}
{%- endmacro %}

{% macro drop_days_not_written() -%}
    {%- if execute -%}
        {%- set day = config.get('meta').replaces_days.day -%}
        {%- set query -%}
            select distinct {{ day }} from {{ this }}
            where
                _metadata.file_name in (select old_files.file_name from {{ this.identifier }}__old_files as old_files)
                and {{ replaced_rows() }}
        {%- endset -%}
        {%- set days = run_query(query).columns[0].values() -%}
        {%- if days -%}
            alter table {{ this }} drop partition ({{ day }} = '{{ days | join("'), partition (" ~ day ~ " = '") }}')
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
