{#- Does a model select what its contract says? dbt compares types as they are spelled, and ClickHouse spells them its own
    way. dbt finds this macro before its own, in a model of this package. -#}
{% macro get_assert_columns_equivalent(sql) -%}
    {{ return(adapter.dispatch('contract_holds', 'llm_spend')(sql)) }}
{%- endmacro %}

{% macro default__contract_holds(sql) -%}
    {{ return(dbt.get_assert_columns_equivalent(sql)) }}
{%- endmacro %}

{#- By kinds, for the table gives its columns their types. -#}
{% macro clickhouse__contract_holds(sql) -%}
    {%- set declared, selected = [], [] -%}
    {%- for column in contract_columns() -%}
        {%- do declared.append({'name': column.name, 'data_type': clickhouse_kind(column.plain_type)}) -%}
    {%- endfor -%}
    {%- for column in adapter.get_column_schema_from_query(sql, query_settings=config.get('query_settings', {})) -%}
        {%- do selected.append({'name': column.name, 'data_type': clickhouse_kind(column.dtype)}) -%}
    {%- endfor -%}
    {%- if declared | sort(attribute='name') != selected | sort(attribute='name') -%}
        {%- do exceptions.raise_contract_error(declared, selected) -%}
    {%- endif -%}
{%- endmacro %}

{#- What kind of value a type holds: decimals of one scale are one, and truth is a whole number there. -#}
{% macro clickhouse_kind(type) -%}
    {%- if type == 'Bool' or 'Int' in type -%}
        {{ return('whole number') }}
    {%- elif type.startswith('Decimal') -%}
        {{ return('decimal, scale ' ~ type.split(', ')[1][:-1]) }}
    {%- elif type.startswith('Date') -%}
        {{ return('DateTime' if type.startswith('DateTime') else 'Date') }}
    {%- endif -%}
    {{ return(type) }}
{%- endmacro %}

{#- The columns of a new table, as its contract says. -#}
{% macro get_table_columns_and_constraints() -%}
    {{ return(adapter.dispatch('contract_ddl', 'llm_spend')()) }}
{%- endmacro %}

{% macro default__contract_ddl() -%}
    {{ return(dbt.get_table_columns_and_constraints()) }}
{%- endmacro %}

{% macro clickhouse__contract_ddl() -%}
    {%- set columns = [] -%}
    {%- for column in contract_columns() -%}{%- do columns.append(adapter.quote(column.name) ~ ' ' ~ column.type) -%}{%- endfor -%}
    ({{ columns | join(', ') }})
{%- endmacro %}

{#- ClickHouse's own name of a type. dbt has put `DateTime`, whole seconds, where a model says `timestamp`. -#}
{% macro clickhouse_type(type) -%}
    {{ return({
        'text': 'String', 'bigint': 'Int64', 'boolean': 'Bool', 'date': 'Date32', 'double precision': 'Float64',
        'timestamp': "DateTime64(6, 'UTC')",
        'DateTime': "DateTime64(6, 'UTC')",
    }.get(type, type | replace('decimal', 'Decimal'))) }}
{%- endmacro %}

{#- The columns of this model's contract with ClickHouse's names of their types. All may be null but the day that a table is
    partitioned by. -#}
{% macro contract_columns() -%}
    {%- set day = (config.get('meta') or {}).get('replaces_days', {}).get('day') -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}
        {%- set plain_type = clickhouse_type(column.data_type) -%}
        {%- do columns.append({
            'name': column.name, 'plain_type': plain_type,
            'type': plain_type ~ ' not null' if column.name == day else 'Nullable(' ~ plain_type ~ ')',
        }) -%}
    {%- endfor -%}
    {{ return(columns) }}
{%- endmacro %}
