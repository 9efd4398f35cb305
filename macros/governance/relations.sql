{#- The one place that decides what the package reads. It never depends on what happens to exist. -#}
{% macro usage_events() -%}
    {%- set event_source = var('event_source', 'demo') -%}
    {%- if event_source == 'demo' -%}
        {{ return(ref('raw_demo_usage_events')) }}
    {%- elif event_source == 'landing' -%}
        {{ return(source('landing', 'raw_usage_events')) }}
    {%- elif event_source == 'source' -%}
        {{ return(source('app', 'usage_events')) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error("var event_source is '" ~ event_source ~ "'; it must be demo, landing or source") }}
    {%- endif -%}
{%- endmacro %}

{#- Rows of files that could not be parsed. -#}
{% macro rejected_events() -%}
    {{ return(ref('raw_demo_rejected_events') if var('event_source', 'demo') == 'demo' else source('landing', 'raw_rejected_events')) }}
{%- endmacro %}

{#- A configuration seed: the demo company's on the demo, else the user's. -#}
{% macro config_seed(name) -%}
    {%- set config_source = var('config_source', none) or ('demo' if var('event_source', 'demo') == 'demo' else 'own') -%}
    {{ return(ref('demo_' ~ name) if config_source == 'demo' else ref(name)) }}
{%- endmacro %}
