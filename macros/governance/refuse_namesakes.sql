{#- dbt looks for what a package reads among the models of the root project first. One of the same name would be read in
    place of ours, and no total would tell. -#}
{% macro refuse_namesakes() -%}
    {%- set named = var('config_models', {}).values() | list + [var('usage_events_model', none)] -%}
    {%- for node in graph.get('nodes', {}).values() if node.package_name == 'llm_spend' != project_name -%}
        {%- for read in node.depends_on.nodes if read.split('.')[1] == project_name and not read.startswith('source.') -%}
            {%- set name = read.split('.')[2] -%}
            {%- if name not in named or node.resource_type == 'test' -%}
                {{ exceptions.raise_compiler_error(name ~ ' is a model or seed of ' ~ project_name ~ ' and one of llm_spend, whose '
                    ~ node.name ~ ' would read yours. Rename yours, or let a package read its own: '
                    ~ 'flags: {require_ref_searches_node_package_before_root: true} in dbt_project.yml') }}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}
