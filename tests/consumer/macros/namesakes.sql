{#- Macros that have a namesake in the package. -#}
{% macro as_of() %}the clock of the shop{% endmacro %}
{% macro ratio(part, whole) %}no ratio{% endmacro %}
{% macro money(amount) %}no money{% endmacro %}
{% macro key_hash(columns) %}no hash{% endmacro %}
{% macro type_money() %}no type{% endmacro %}
{% macro event_columns() %}no columns{% endmacro %}
