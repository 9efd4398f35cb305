{#- Raised with every release whose SQL would write other attempts from the same raw rows: then all days are written again. -#}
{% macro attempts_version() %}2{% endmacro %}

{#- The attempts as an earlier run left them, if it was a release that noted the version of their days; else none. -#}
{% macro versioned_attempts() -%}
    {%- set attempts = built_relation('fct_llm_attempts') -%}
    {%- if attempts -%}
        {%- set columns = adapter.get_columns_in_relation(attempts) | map(attribute='name') | map('lower') | list -%}
        {{ return(attempts if 'day_version' in columns else none) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{#- Is every day written in this run, because there is nothing yet, nothing of this release, or a person asked for it? -#}
{% macro restates_everything() -%}
    {{ return(not execute or flags.FULL_REFRESH or not versioned_attempts()) }}
{%- endmacro %}
