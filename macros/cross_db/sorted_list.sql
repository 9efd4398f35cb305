{#- The texts of a group in the order of their bytes, as one text. -#}
{% macro sorted_list(expression, separator) -%}
    {{ return(adapter.dispatch('sorted_list', 'llm_spend')(expression, separator)) }}
{%- endmacro %}

{% macro default__sorted_list(expression, separator) -%}
{{ dbt.listagg(expression, separator, 'order by ' ~ expression) }}
{%- endmacro %}

{#- dbt's own leaves the order to chance. -#}
{% macro spark__sorted_list(expression, separator) -%}
array_join(sort_array(collect_list({{ expression }})), {{ separator }})
{%- endmacro %}
