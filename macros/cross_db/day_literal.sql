{#- A day, given as ISO text, that dates and timestamps are compared with. -#}
{% macro day_literal(day) -%}
    {{ return(adapter.dispatch('day_literal', 'llm_spend')(day)) }}
{%- endmacro %}

{% macro default__day_literal(day) -%}
cast('{{ day }}' as date)
{%- endmacro %}

{#- A date compares with no timestamp there, but a bare text becomes what it is compared with. -#}
{% macro bigquery__day_literal(day) -%}
'{{ day }}'
{%- endmacro %}
