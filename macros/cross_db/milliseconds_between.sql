{#- Whole milliseconds from one timestamp to a later one. -#}
{% macro milliseconds_between(first_timestamp, second_timestamp) -%}
    {{ return(adapter.dispatch('milliseconds_between', 'llm_spend')(first_timestamp, second_timestamp)) }}
{%- endmacro %}

{% macro default__milliseconds_between(first_timestamp, second_timestamp) -%}
(epoch_us({{ second_timestamp }}) - epoch_us({{ first_timestamp }})) // 1000
{%- endmacro %}

{% macro postgres__milliseconds_between(first_timestamp, second_timestamp) -%}
cast(trunc(extract(epoch from ({{ second_timestamp }} - {{ first_timestamp }})) * 1000) as {{ dbt.type_bigint() }})
{%- endmacro %}

{% macro clickhouse__milliseconds_between(first_timestamp, second_timestamp) -%}
intDiv(dateDiff('microsecond', {{ first_timestamp }}, {{ second_timestamp }}), 1000)
{%- endmacro %}

{% macro spark__milliseconds_between(first_timestamp, second_timestamp) -%}
(unix_micros({{ second_timestamp }}) - unix_micros({{ first_timestamp }})) div 1000
{%- endmacro %}

{% macro snowflake__milliseconds_between(first_timestamp, second_timestamp) -%}
cast(trunc(datediff('microsecond', {{ first_timestamp }}, {{ second_timestamp }}) / 1000) as {{ dbt.type_bigint() }})
{%- endmacro %}

{% macro bigquery__milliseconds_between(first_timestamp, second_timestamp) -%}
div(timestamp_diff({{ second_timestamp }}, {{ first_timestamp }}, microsecond), 1000)
{%- endmacro %}
