{#- A table of this package as an earlier run left it, or none. Not a ref: what is read is the state before this run. -#}
{% macro built_relation(name) -%}
    {%- if execute -%}
        {%- set node = graph.nodes['model.llm_spend.' ~ name] -%}
        {{ return(adapter.get_relation(node.database, node.schema, node.alias)) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
