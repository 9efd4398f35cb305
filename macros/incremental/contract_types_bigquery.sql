{#- Does a model select the columns of its contract? Their types the new table enforces itself. -#}
{% macro bigquery__contract_holds(sql) -%}
    {%- set declared = model.columns.values() | map(attribute='name') | sort -%}
    {%- set selected = get_column_schema_from_query(sql) | map(attribute='name') | sort -%}
    {%- if declared != selected -%}
        {%- do exceptions.raise_compiler_error('The contract of ' ~ model.name ~ ' has the columns ' ~ declared ~ ', its SQL ' ~ selected) -%}
    {%- endif -%}
{%- endmacro %}

{% macro bigquery__contract_ddl() -%}
    {%- set columns = [] -%}
    {%- for column in model.columns.values() -%}{%- do columns.append(column.name ~ ' ' ~ bigquery_type(column.data_type)) -%}{%- endfor -%}
    ({{ columns | join(', ') }})
{%- endmacro %}

{#- BigQuery's own name of a type. -#}
{% macro bigquery_type(type) -%}
    {{ return({'text': 'string', 'bigint': 'int64', 'double precision': 'float64'}.get(type, type | replace('decimal', 'bignumeric'))) }}
{%- endmacro %}
