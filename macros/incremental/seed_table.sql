{#- The table of a seed. dbt finds this macro before its own, for a seed of this package. -#}
{% macro create_csv_table(model, agate_table) -%}
    {{ return(adapter.dispatch('seed_table', 'llm_spend')(model, agate_table)) }}
{%- endmacro %}

{% macro default__seed_table(model, agate_table) -%}
    {{ return(dbt.create_csv_table(model, agate_table)) }}
{%- endmacro %}

{#- A blank cell is null. -#}
{% macro clickhouse__seed_table(model, agate_table) -%}
    {%- set types = model.config.get('column_types', {}) -%}
    {%- set columns = [] -%}
    {%- for column in agate_table.column_names -%}
        {%- do columns.append(adapter.quote(column) ~ ' Nullable(' ~ clickhouse_type(types.get(column, 'text')) ~ ')') -%}
    {%- endfor -%}
    {%- set sql = 'create table ' ~ this.render() ~ ' (' ~ columns | join(', ') ~ ') engine = MergeTree order by tuple()' -%}
    {%- call statement('_') -%}{{ sql }}{%- endcall -%}
    {{ return(sql) }}
{%- endmacro %}

{#- dbt makes a table there only by loading rows, and of a file without any none. -#}
{% macro bigquery__seed_table(model, agate_table) -%}
    {%- set types = bigquery_seed_types(model) -%}
    {%- set columns = [] -%}
    {%- for column in agate_table.column_names -%}{%- do columns.append(column ~ ' ' ~ types[column]) -%}{%- endfor -%}
    {%- set sql = 'create or replace table ' ~ this.render() ~ ' (' ~ columns | join(', ') ~ ')' -%}
    {%- call statement('_') -%}{{ sql }}{%- endcall -%}
    {{ return(sql) }}
{%- endmacro %}

{#- BigQuery's names of the types, without their digits, which a load does not take. -#}
{% macro bigquery_seed_types(model) -%}
    {%- set types = {} -%}
    {%- for column, type in model.config.column_types.items() -%}
        {%- do types.update({column: bigquery_type(type).partition('(')[0]}) -%}
    {%- endfor -%}
    {{ return(types) }}
{%- endmacro %}

{#- The same for a seed whose table is there. -#}
{% macro reset_csv_table(model, full_refresh, old_relation, agate_table) -%}
    {{ return(adapter.dispatch('seed_table_anew', 'llm_spend')(model, full_refresh, old_relation, agate_table)) }}
{%- endmacro %}

{% macro default__seed_table_anew(model, full_refresh, old_relation, agate_table) -%}
    {{ return(dbt.reset_csv_table(model, full_refresh, old_relation, agate_table)) }}
{%- endmacro %}

{% macro bigquery__seed_table_anew(model, full_refresh, old_relation, agate_table) -%}
    {{ return(bigquery__seed_table(model, agate_table)) }}
{%- endmacro %}
