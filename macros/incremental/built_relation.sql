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

{#- What the last run left of the very table that this model replaces; or none. -#}
{% macro relation_of_last_run(name) %}{{ return(adapter.dispatch('relation_of_last_run', 'llm_spend')(name)) }}{% endmacro %}
{% macro default__relation_of_last_run(name) %}{{ return(built_relation(name)) }}{% endmacro %}

{#- Spark drops a table before it writes the new one: a copy is read. -#}
{% macro spark__relation_of_last_run(name) -%}
    {%- set relation = built_relation(name) -%}
    {%- if not relation -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set copy = api.Relation.create(schema=relation.schema, identifier=relation.identifier ~ '__last_run') -%}
    {%- do run_query('drop table if exists ' ~ copy) -%}
    {%- do run_query('create table ' ~ copy ~ ' as select * from ' ~ relation) -%}
    {{ return(copy) }}
{%- endmacro %}
