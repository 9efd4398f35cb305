{#- A whole number that stands as text; null where it is none, or one of more than 18 digits. -#}
{% macro count_or_null(text_expression) -%}
    {{ return(adapter.dispatch('count_or_null', 'llm_spend')(text_expression)) }}
{%- endmacro %}

{% macro default__count_or_null(text_expression) -%}
cast(
    case
        when {{ regex_matches(text_expression, "'^-?[0-9]+$'") }} and {{ text_length(text_expression) }} <= 18
            then {{ text_expression }}
    end as {{ dbt.type_bigint() }}
)
{%- endmacro %}

{#- It casts before it asks. -#}
{% macro clickhouse__count_or_null(text_expression) -%}
case when {{ text_length(text_expression) }} <= 18 then toInt64OrNull({{ text_expression }}) end
{%- endmacro %}

{#- A sum of money that stands as text, exponents included; null where it is none, or too large for one. -#}
{% macro money_or_null(text_expression) -%}
    {{ return(adapter.dispatch('money_or_null', 'llm_spend')(text_expression)) }}
{%- endmacro %}

{% macro default__money_or_null(text_expression) -%}
try_cast({{ text_expression }} as {{ type_money() }})
{%- endmacro %}

{% macro postgres__money_or_null(text_expression) -%}
cast(cast(
    case
        when {{ text_expression }} ~ '^-?[0-9]{1,15}([.][0-9]*)?([eE]-[0-9]{1,2})?$'
            then {{ text_expression }}
    end as numeric
) as {{ type_money() }})
{%- endmacro %}

{% macro clickhouse__money_or_null(text_expression) -%}
toDecimal128OrNull({{ text_expression }}, 12)
{%- endmacro %}

{% macro snowflake__money_or_null(text_expression) -%}
try_to_decimal({{ text_expression }}, 28, 12)
{%- endmacro %}

{% macro bigquery__money_or_null(text_expression) -%}
safe_cast({{ text_expression }} as {{ type_money() }})
{%- endmacro %}
