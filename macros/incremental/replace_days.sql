{#- The one way a large table is kept: every run replaces the days that changed, and no others. `day` is the column that says
    when, `days` the model that lists the days of this run. -#}
{% macro replaces_days(day, days) -%}
    {{ config(
        materialized='incremental',
        on_schema_change='append_new_columns',
        meta={'replaces_days': {'day': day, 'days': days}},
        **how_days_are_replaced(day)
    ) }}
{%- endmacro %}

{#- By which strategy, and what lets the engine find the rows of a few days in a large table. -#}
{% macro how_days_are_replaced(day) %}{{ return(adapter.dispatch('how_days_are_replaced', 'llm_spend')(day)) }}{% endmacro %}

{#- It knows the days of each part by itself. -#}
{% macro default__how_days_are_replaced(day) %}{{ return({'incremental_strategy': 'replace_days'}) }}{% endmacro %}

{% macro postgres__how_days_are_replaced(day) %}
    {{ return({'incremental_strategy': 'replace_days', 'indexes': [{'columns': [day], 'type': 'btree'}]}) }}
{% endmacro %}

{#- Parquet files know no delete. Each day is a partition, and a day that is written again replaces its own. -#}
{% macro spark__how_days_are_replaced(day) %}
    {{ return({
        'incremental_strategy': 'insert_overwrite',
        'partition_by': [day],
        'pre_hook': '{{ llm_spend.note_files_of_days() }}',
        'post_hook': '{{ llm_spend.drop_days_not_written() }}',
    }) }}
{% endmacro %}

{#- Which rows go. All where all days are written, for a table of an earlier release may not know its rows' days. -#}
{% macro replaced_rows() -%}
    {%- set replaced = config.get('meta').replaces_days -%}
    {%- set everything = run_query('select 1 from ' ~ ref(replaced.days) ~ ' where is_everything limit 1').rows -%}
    {{ return('1 = 1' if everything else on_days_of(replaced.day, replaced.days, replaced.day)) }}
{%- endmacro %}

{#- Days without rows left are deleted too, which delete+insert by key would leave. One transaction. -#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set columns = arguments.dest_columns | map(attribute='quoted') | join(', ') -%}
    delete from {{ arguments.target_relation }}
    where {{ replaced_rows() }};

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}

{#- Spark: nothing overwrites a day without rows left. It is the one that still has its old files afterwards. -#}
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
