{#- A table of this package as an earlier run left it, or none. Not a ref: what is read is the state before this run. A unit
    test has no earlier run. -#}
{% macro built_relation(name) -%}
    {%- set nodes = graph.get('nodes') if execute -%}
    {%- if nodes -%}
        {%- set node = nodes['model.llm_spend.' ~ name] -%}
        {{ return(adapter.get_relation(node.database, node.schema, node.alias)) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
