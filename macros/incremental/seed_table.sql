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
