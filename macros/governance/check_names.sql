{#- Before anything is built: names in the project that installs the package which would quietly mean something else. dbt
    looks for what a package reads in that project first; a model of the same name would be read in place of ours. -#}
{% macro check_names() -%}
    {%- set config_models = var('config_models', {}) -%}
    {%- set nodes = graph.get('nodes', {}) -%}
    {%- for name in config_models if nodes and 'seed.llm_spend.' ~ name not in nodes -%}
        {{ exceptions.raise_compiler_error("var config_models names '" ~ name ~ "'; it may name the files of seeds/config") }}
    {%- endfor -%}
    {%- set named = config_models.values() | list + [var('usage_events_model', none)] -%}
    {%- for node in nodes.values() if node.package_name == 'llm_spend' != project_name -%}
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
