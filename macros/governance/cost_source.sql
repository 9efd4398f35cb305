{#- Whose figure a call's cost is: `calculate` takes ours, `reported` the client's or gateway's, `auto` ours and where it
    is unknown the reported one. -#}
{% macro cost_source() -%}
    {%- set cost_source = var('cost_source', 'calculate') -%}
    {%- if cost_source not in ['calculate', 'reported', 'auto'] -%}
        {{ exceptions.raise_compiler_error("var cost_source is '" ~ cost_source ~ "'; it must be calculate, reported or auto") }}
    {%- endif -%}
    {{ return(cost_source) }}
{%- endmacro %}
