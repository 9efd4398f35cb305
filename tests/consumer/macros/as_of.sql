{#- A macro that has a namesake in the package. -#}
{% macro as_of() %}the clock of the shop{% endmacro %}
