{#- Requests a side that a comparison of prompt versions needs: below that a true +30 % is missed more often than found. -#}
{% macro min_compared_requests() %}300{% endmacro %}
