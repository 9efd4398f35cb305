{#- The price of one unit, half-up to 12 decimals. -#}
{% macro rounded_unit_price(expression) -%}
cast(round({{ expression }}, 12) as {{ type_unit_price() }})
{%- endmacro %}

{#- A price as quoted (`2.5` per `1M tokens`) as the price of one unit. Exact: a multiplication by a decimal power of ten,
    never a division. Only a price per hour or minute of audio is rounded, half-up to 12 decimals of a second. -#}
{% macro unit_price(price, price_unit) -%}
{%- set factor -%}
case
            when {{ price_unit }} like '1M %' then '0.000001'
            when {{ price_unit }} like '1K %' then '0.001'
            when {{ price_unit }} = '1 hour' then '0.000277777777777778'
            when {{ price_unit }} = '1 minute' then '0.016666666666666667'
            when {{ price_unit }} like '1 %' then '1'
        end
{%- endset -%}
{{ rounded_unit_price(product(
    'cast(' ~ price ~ ' as ' ~ type_decimal(18, 9) ~ ')', 'cast(' ~ factor ~ ' as ' ~ type_decimal(19, 18) ~ ')', decimals=27
)) }}
{%- endmacro %}
