{#- The one way a large table is kept: every run replaces the days that changed, and no others. `day` is the column that says
    when, `days` the model that lists the days of this run. -#}
{% macro replaces_days(day, days) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='replace_days',
        on_schema_change='append_new_columns',
        indexes=day_indexes(day),
        meta={'replaces_days': {'day': day, 'days': days}}
    ) }}
{%- endmacro %}

{#- What lets an engine find the rows of a few days in a large table. None where it knows the days of each part by itself. -#}
{% macro day_indexes(day) %}{{ return(adapter.dispatch('day_indexes', 'llm_spend')(day)) }}{% endmacro %}
{% macro default__day_indexes(day) %}{{ return([]) }}{% endmacro %}
{% macro postgres__day_indexes(day) %}{{ return([{'columns': [day], 'type': 'btree'}]) }}{% endmacro %}

{#- Days without rows left are deleted too, which delete+insert by key would leave; and all days where all are written, for a
    table of an earlier release may not know its rows' days. One transaction. -#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set replaced = config.get('meta').replaces_days -%}
    {%- set columns = arguments.dest_columns | map(attribute='quoted') | join(', ') -%}
    {%- set everything = run_query('select 1 from ' ~ ref(replaced.days) ~ ' where is_everything limit 1').rows -%}
    delete from {{ arguments.target_relation }}
    {%- if not everything %}
    where {{ on_days_of(replaced.day, replaced.days, replaced.day) }}
    {%- endif %};

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}
