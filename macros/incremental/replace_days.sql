{#- The one way a large table is kept: every run replaces the days that changed, and no others. `day` is the column that says
    when, `days` the model that lists the days of this run. -#}
{% macro replaces_days(day, days) -%}
    {{ return(adapter.dispatch('replaces_days', 'llm_spend')(day, days)) }}
{%- endmacro %}

{% macro default__replaces_days(day, days) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='replace_days',
        on_schema_change='append_new_columns',
        indexes=day_indexes(day),
        meta={'replaces_days': {'day': day, 'days': days}}
    ) }}
{%- endmacro %}

{#- ClickHouse takes none but its own strategies. This one replaces partitions, each in one step that no reader sees half. -#}
{% macro clickhouse__replaces_days(day, days) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=[day],
        order_by=[day],
        meta={'replaces_days': {'day': day, 'days': days}}
    ) }}
{%- endmacro %}

{#- What lets an engine find the rows of a few days in a large table. None where it knows the days of each part by itself. -#}
{% macro day_indexes(day) %}{{ return(adapter.dispatch('day_indexes', 'llm_spend')(day)) }}{% endmacro %}
{% macro default__day_indexes(day) %}{{ return([]) }}{% endmacro %}
{% macro postgres__day_indexes(day) %}{{ return([{'columns': [day], 'type': 'btree'}]) }}{% endmacro %}

{#- Are all days of a table written, because one of an earlier release may not know its rows' days? -#}
{% macro replaces_everything(days) -%}
    {{ return(run_query('select 1 as everything from ' ~ ref(days) ~ ' where is_everything limit 1').rows | length > 0) }}
{%- endmacro %}

{#- Days without rows left are deleted too, which delete+insert by key would leave. One transaction. -#}
{% macro get_incremental_replace_days_sql(arguments) -%}
    {%- set replaced = config.get('meta').replaces_days -%}
    {%- set columns = arguments.dest_columns | map(attribute='quoted') | join(', ') -%}
    delete from {{ arguments.target_relation }}
    {%- if not replaces_everything(replaced.days) %}
    where {{ on_days_of(replaced.day, replaced.days, replaced.day) }}
    {%- endif %};

    insert into {{ arguments.target_relation }} ({{ columns }})
    select {{ columns }} from {{ arguments.temp_relation }}
{%- endmacro %}

{#- In place of the adapter's own, which leaves the days without rows and knows no new columns. A partition is a day. -#}
{% macro clickhouse__incremental_insert_overwrite(existing_relation, partition_by, is_distributed=False) %}
    {%- set replaced = config.get('meta').replaces_days -%}
    {%- set written = existing_relation.incorporate(path={'identifier': existing_relation.identifier ~ '__replacing'}) -%}
    {%- set is_known = adapter.get_columns_in_relation(existing_relation) | map(attribute='name') | list -%}
    {%- for column in contract_columns() if column.name not in is_known -%}
        {%- do run_query('alter table ' ~ existing_relation ~ ' add column ' ~ adapter.quote(column.name) ~ ' ' ~ column.type) -%}
    {%- endfor -%}
    {%- do adapter.drop_relation(written) -%}
    {%- do run_query('create table ' ~ written ~ ' as ' ~ existing_relation) -%}
    {% call statement('main') %}
        {{ clickhouse__insert_into(written, sql, true) }}
    {% endcall %}
    {%- if replaces_everything(replaced.days) -%}
        {%- do run_query('exchange tables ' ~ existing_relation ~ ' and ' ~ written) -%}
    {%- else -%}
        {%- set days = run_query('select distinct ' ~ replaced.day ~ ' from ' ~ ref(replaced.days)).columns[0].values() -%}
        {%- for some_days in days | batch(100) -%}
            {%- set partitions = [] -%}
            {%- for date in some_days -%}
                {%- do partitions.append("replace partition '" ~ date ~ "' from " ~ written) -%}
            {%- endfor -%}
            {%- do run_query(
                'alter table ' ~ existing_relation ~ ' ' ~ partitions | join(', ')
                ~ (' settings allow_replace_partition_from' ~ '_empty_source = 1' if adapter.is_at_or_after_version('26.6'))
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do adapter.drop_relation(written) -%}
{% endmacro %}
