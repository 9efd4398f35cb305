{#- Run alone, the folders' schemas are exactly staging, intermediate, marts and raw. dbt uses this macro only for the root
    project, so a project that installs the package keeps its own rule. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
