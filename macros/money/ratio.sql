{#- The only division. A float; null where the divisor is 0 or null. -#}
{% macro ratio(numerator, denominator) -%}
    {{ return(adapter.dispatch('ratio', 'llm_spend')(numerator, denominator)) }}
{%- endmacro %}

{% macro default__ratio(numerator, denominator) -%}
cast({{ numerator }} as {{ type_ratio() }}) / nullif(cast({{ denominator }} as {{ type_ratio() }}), 0)
{%- endmacro %}

{#- ClickHouse divides by the 0 behind a null too, and refuses the infinity behind that null where it becomes a decimal. -#}
{% macro clickhouse__ratio(numerator, denominator) -%}
case
    when {{ denominator }} != 0
        then cast({{ numerator }} as {{ type_ratio() }}) / cast({{ denominator }} as {{ type_ratio() }})
end
{%- endmacro %}

{#- Derived money (an average, a forecast): rounded half-up to 9 decimals, compared at 1e-9. -#}
{% macro derived_usd(expression) -%}
    {{ return(adapter.dispatch('derived_usd', 'llm_spend')(expression)) }}
{%- endmacro %}

{% macro default__derived_usd(expression) -%}
cast(round(cast({{ expression }} as {{ type_money() }}), 9) as {{ type_money() }})
{%- endmacro %}

{#- ClickHouse cuts a float off where it becomes a decimal. -#}
{% macro clickhouse__derived_usd(expression) -%}
cast(round(round(cast({{ expression }} as decimal(76, 20)), 12), 9) as {{ type_money() }})
{%- endmacro %}

{#- A cast rounds nothing there. First to the decimals of money, as it does elsewhere. -#}
{% macro bigquery__derived_usd(expression) -%}
round(round(cast({{ expression }} as {{ type_money() }}), 12), 9)
{%- endmacro %}
