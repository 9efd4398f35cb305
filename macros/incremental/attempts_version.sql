{#- Raised with every release whose SQL would write other attempts from the same raw rows: then all days are written again. -#}
{% macro attempts_version() %}1{% endmacro %}

{#- Is every day written in this run, because there is nothing yet or because a person asked for it? -#}
{% macro restates_everything() -%}
    {{ return(not execute or flags.FULL_REFRESH or not built_relation('fct_llm_attempts')) }}
{%- endmacro %}
