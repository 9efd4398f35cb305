{#- The one way a large table is kept: every run replaces the days that changed, and no others. `day` is the column that says
    when, `days` the model that lists the days of this run. -#}
{% macro replaces_days(day, days) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='replace_days',
        on_schema_change='append_new_columns',
        meta={'replaces_days': {'day': day, 'days': days}}
    ) }}
{%- endmacro %}

{#- Days without rows left are deleted too, which delete+insert by key would leave; and all days where all are written, for a
    table of an earlier release may not know its rows' days. One transaction. -#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set replaced = config.get('meta').replaces_days -%}
    {%- set columns = arguments.dest_columns | map(attribute='quoted') | join(', ') -%}
    delete from {{ arguments.target_relation }}
    where
        {{ replaced.day }} in (select {{ replaced.day }} from {{ ref(replaced.days) }})
        or exists (select 1 from {{ ref(replaced.days) }} where is_everything);

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}
