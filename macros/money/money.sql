{#- Ledger money: exact, cast before it is added. A sum is cast back. -#}
{% macro money(expression) %}cast({{ expression }} as {{ type_money() }}){% endmacro %}

{#- The sum of ledger money or of a count, back in its own type. -#}
{% macro sum_money(expression) %}cast(sum({{ expression }}) as {{ type_money() }}){% endmacro %}
{% macro sum_count(expression) %}cast(sum({{ expression }}) as {{ dbt.type_bigint() }}){% endmacro %}
