{#- The rows of a seed. dbt finds this macro before its own, for a seed of this package. -#}
{% macro load_csv_rows(model, agate_table) -%}
    {{ return(adapter.dispatch('seed_rows', 'llm_spend')(model, agate_table)) }}
{%- endmacro %}

{% macro default__seed_rows(model, agate_table) -%}
    {{ return(dbt.load_csv_rows(model, agate_table)) }}
{%- endmacro %}

{#- The file is loaded as it is. -#}
{% macro bigquery__seed_rows(model, agate_table) -%}
    {%- do model.config.update({'column_types': bigquery_seed_types(model)}) -%}
    {{ return(dbt.load_csv_rows(model, agate_table)) }}
{%- endmacro %}

{#- dbt's own, with the places of a row's values written once: dbt looks the sign of a place up for each value, which takes
    half a minute for the price book. Used where this is the root project. -#}
{% macro postgres__load_csv_rows(model, agate_table) %}
    {%- set columns = get_seed_column_quoted_csv(model, agate_table.column_names) -%}
    {%- set places = '(' ~ (['%s'] * (agate_table.column_names | length)) | join(', ') ~ ')' -%}
    {%- set statements = [] -%}
    {%- for rows in agate_table.rows | batch(get_batch_size()) -%}
        {%- set values = [] -%}
        {%- for row in rows -%}{%- do values.extend(row) -%}{%- endfor -%}
        {%- set sql = 'insert into ' ~ this.render() ~ ' (' ~ columns ~ ') values ' ~ ([places] * (rows | length)) | join(', ') -%}
        {%- do adapter.add_query(sql, bindings=values, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {{ return(statements | first) }}
{% endmacro %}

{#- dbt's own, with all cells of many rows in one literal of json: Spark takes minutes to read as many literals as the price
    book has cells. -#}
{% macro spark__load_csv_rows(model, agate_table) %}
    {%- set types = spark_seed_types(model, agate_table) -%}
    {%- set columns = [] -%}
    {%- for type in types -%}{%- do columns.append('cast(cells[' ~ loop.index0 ~ '] as ' ~ type ~ ')') -%}{%- endfor -%}
    {%- set statements = [] -%}
    {%- for rows in agate_table.rows | batch(get_batch_size()) -%}
        {%- set cells = [] -%}
        {%- for row in rows -%}
            {%- set texts = [] -%}
            {%- for value in row -%}{%- do texts.append(value if value is none else value | string) -%}{%- endfor -%}
            {%- do cells.append(texts) -%}
        {%- endfor -%}
        {%- set json = tojson(cells) | replace('\\', '\\\\') | replace("'", "\\'") -%}
        {%- set sql = 'insert into ' ~ this.render() ~ ' select ' ~ columns | join(', ')
            ~ " from (select explode(from_json('" ~ json ~ "', 'array<array<string>>')) as cells)" -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
        {%- do statements.append(sql) -%}
    {%- endfor -%}
    {{ return(statements | first) }}
{% endmacro %}

{#- dbt's own, with Spark's name for text. -#}
{% macro spark__create_csv_table(model, agate_table) %}
    {%- set types = spark_seed_types(model, agate_table) -%}
    {%- set columns = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- do columns.append(adapter.quote_seed_column(name | string, model.config.quote_columns) ~ ' ' ~ types[loop.index0]) -%}
    {%- endfor -%}
    {%- set sql -%}
    create table {{ this.render() }} ({{ columns | join(', ') }})
    {{ file_format_clause() }}
    {{ location_clause() }}
    {%- endset -%}
    {%- call statement('_') -%}{{ sql }}{%- endcall -%}
    {{ return(sql) }}
{% endmacro %}

{% macro spark_seed_types(model, agate_table) %}
    {%- set types = [] -%}
    {%- for name in agate_table.column_names -%}
        {%- set type = model.config.column_types.get(name, adapter.convert_type(agate_table, loop.index0)) -%}
        {%- do types.append('string' if type in ['text', 'varchar'] else type) -%}
    {%- endfor -%}
    {{ return(types) }}
{% endmacro %}
