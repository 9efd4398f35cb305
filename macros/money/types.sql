{#- An exact number: so many digits, so many of them behind the point. -#}
{% macro type_decimal(precision, scale) %}{{ return(adapter.dispatch('type_decimal', 'llm_spend')(precision, scale)) }}{% endmacro %}
{% macro default__type_decimal(precision, scale) %}decimal({{ precision }}, {{ scale }}){% endmacro %}
{#- NUMERIC keeps nine decimals only, and a cast takes no digits: it always keeps 38. The tables' columns have theirs. -#}
{% macro bigquery__type_decimal(precision, scale) %}bignumeric{% endmacro %}

{#- Money: 28 digits, 12 behind the point, so that a million calls of $0.0000004 still add up. -#}
{% macro type_money() %}{{ llm_spend.type_decimal(28, 12) }}{% endmacro %}

{#- A price of one unit in USD. 17 digits: `bigint * decimal(17, 12)` keeps its scale on every engine. -#}
{% macro type_unit_price() %}{{ llm_spend.type_decimal(17, 12) }}{% endmacro %}

{#- Ratios and percentages, never money. -#}
{% macro type_ratio() %}{{ return(adapter.dispatch('type_ratio', 'llm_spend')()) }}{% endmacro %}
{% macro default__type_ratio() %}double precision{% endmacro %}
{% macro spark__type_ratio() %}double{% endmacro %}
{% macro bigquery__type_ratio() %}float64{% endmacro %}

{#- A date that may be the open begin or end of a validity, 1900-01-01 or 9999-12-31. -#}
{% macro type_validity_date() %}{{ return(adapter.dispatch('type_validity_date', 'llm_spend')()) }}{% endmacro %}
{% macro default__type_validity_date() %}date{% endmacro %}
{#- ClickHouse's own dates begin in 1970 and end in 2149. -#}
{% macro clickhouse__type_validity_date() %}Date32{% endmacro %}

{#- A moment in UTC, to the microsecond. -#}
{% macro type_utc_timestamp() %}{{ return(adapter.dispatch('type_utc_timestamp', 'llm_spend')()) }}{% endmacro %}
{% macro default__type_utc_timestamp() %}{{ dbt.type_timestamp() }}{% endmacro %}
{% macro clickhouse__type_utc_timestamp() %}DateTime64(6, 'UTC'){% endmacro %}
