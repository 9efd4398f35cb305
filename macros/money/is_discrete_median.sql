{#- Is this rank, from 1, the ceil(n / 2)-th of n? The discrete median is a value that occurred, equal on every engine. -#}
{% macro is_discrete_median(rank, n) -%}
{{ rank }} * 2 >= {{ n }} and ({{ rank }} - 1) * 2 < {{ n }}
{%- endmacro %}
