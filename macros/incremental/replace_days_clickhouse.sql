{#- ClickHouse takes none but its own strategies. This one replaces partitions, each in one step that no reader sees half. -#}
{% macro clickhouse__how_days_are_replaced(day) %}
    {{ return({
        'incremental_strategy': 'insert_overwrite',
        'on_schema_change': 'append_new_columns',
        'partition_by': [day],
        'order_by': [day],
    }) }}
{% endmacro %}

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
    {%- if replaces_everything() -%}
        {%- do run_query('exchange tables ' ~ existing_relation ~ ' and ' ~ written) -%}
    {%- else -%}
        {%- set days = run_query('select distinct ' ~ replaced.day ~ ' from ' ~ ref(replaced.days)).rows -%}
        {%- for some_days in days | batch(100) -%}
            {%- set partitions = [] -%}
            {%- for row in some_days -%}
                {%- do partitions.append("replace partition '" ~ row[0] ~ "' from " ~ written) -%}
            {%- endfor -%}
            {%- do run_query(
                'alter table ' ~ existing_relation ~ ' ' ~ partitions | join(', ')
                ~ (' settings allow_replace_partition_from' ~ '_empty_source = 1' if adapter.is_at_or_after_version('26.6'))
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do adapter.drop_relation(written) -%}
{% endmacro %}

{#- A contract wants a model to say what happens to new columns. The strategy above adds them; the adapter would compare types
    first, as they are spelled. dbt finds this macro before its own, in a model of this package. -#}
{% macro incremental_validate_on_schema_change(on_schema_change, default) -%}
    {{ return(adapter.dispatch('schema_change', 'llm_spend')(on_schema_change, default)) }}
{%- endmacro %}

{% macro default__schema_change(on_schema_change, default) -%}
    {{ return(dbt.incremental_validate_on_schema_change(on_schema_change, default)) }}
{%- endmacro %}

{% macro clickhouse__schema_change(on_schema_change, default) -%}
    {{ return('ignore') }}
{%- endmacro %}
