{#- The one way a large table is kept: every run replaces the days that changed, and no others. `day` is the column that says
    when, `days` the model that lists the days of this run. -#}
{% macro replaces_days(day, days) -%}
    {{ config(
        materialized='incremental',
        meta={'replaces_days': {'day': day, 'days': days}},
        **how_days_are_replaced(day)
    ) }}
{%- endmacro %}

{#- By which strategy, and what lets the engine find the rows of a few days in a large table. -#}
{% macro how_days_are_replaced(day) %}{{ return(adapter.dispatch('how_days_are_replaced', 'llm_spend')(day)) }}{% endmacro %}

{#- It knows the days of each part by itself. -#}
{% macro default__how_days_are_replaced(day) %}
    {{ return({'incremental_strategy': 'replace_days', 'on_schema_change': 'append_new_columns'}) }}
{% endmacro %}

{% macro postgres__how_days_are_replaced(day) %}
    {{ return({
        'incremental_strategy': 'replace_days',
        'on_schema_change': 'append_new_columns',
        'indexes': [{'columns': [day], 'type': 'btree'}],
    }) }}
{% endmacro %}

{#- Are all days of a table written, because one of an earlier release may not know its rows' days? -#}
{% macro replaces_everything() -%}
    {%- set days = ref(config.get('meta').replaces_days.days) -%}
    {{ return(run_query('select 1 as everything from ' ~ days ~ ' where is_everything limit 1').rows | length > 0) }}
{%- endmacro %}

{#- Days without rows left are deleted too, which delete+insert by key would leave. One transaction. -#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {{ return(adapter.dispatch('replace_days_sql', 'llm_spend')(arguments)) }}
{%- endmacro %}

{% macro default__replace_days_sql(arguments) -%}
    {%- set replaced = config.get('meta').replaces_days -%}
    {%- set columns = arguments.dest_columns | map(attribute='quoted') | join(', ') -%}
    delete from {{ arguments.target_relation }}
    {%- if not replaces_everything() %}
    where {{ on_days_of(replaced.day, replaced.days, replaced.day) }}
    {%- endif %};

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}

{#- By which strategy a model that only grows is kept. -#}
{% macro how_rows_are_added() %}{{ return(adapter.dispatch('how_rows_are_added', 'llm_spend')()) }}{% endmacro %}
{% macro default__how_rows_are_added() %}{{ return('append') }}{% endmacro %}
