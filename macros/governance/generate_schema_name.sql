{#- Run alone, the folders' schemas are exactly staging, intermediate, marts and raw. Installed, they follow the rule of the
    project that installs the package: its own macro, else dbt's. dbt would take this one for the package's models. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- if node.package_name == project_name -%}
        {{ (custom_schema_name or target.schema) | trim }}
    {%- else -%}
        {%- set of_the_project = context.get(project_name, {}).get('generate_schema_name') or dbt.default__generate_schema_name -%}
        {{ of_the_project(custom_schema_name, node) }}
    {%- endif -%}
{%- endmacro %}
