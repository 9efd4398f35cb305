{#- A wall clock of the reporting time zone as naive UTC. -#}
{% macro from_reporting_timezone(timestamp_expression) -%}
    {%- set zone = var('reporting_timezone', 'UTC') -%}
    {%- if zone == 'UTC' -%}
        {{ timestamp_expression }}
    {%- else -%}
        {{ adapter.dispatch('from_reporting_timezone', 'llm_spend')(timestamp_expression, zone) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__from_reporting_timezone(timestamp_expression, zone) -%}
({{ timestamp_expression }} at time zone '{{ zone }}') at time zone 'UTC'
{%- endmacro %}

{% macro clickhouse__from_reporting_timezone(timestamp_expression, zone) -%}
toTimeZone(toDateTime64(toString({{ timestamp_expression }}), 6, '{{ zone }}'), 'UTC')
{%- endmacro %}

{% macro spark__from_reporting_timezone(timestamp_expression, zone) -%}
to_utc_timestamp({{ timestamp_expression }}, '{{ zone }}')
{%- endmacro %}

{% macro snowflake__from_reporting_timezone(timestamp_expression, zone) -%}
convert_timezone('{{ zone }}', 'UTC', {{ timestamp_expression }})
{%- endmacro %}

{% macro bigquery__from_reporting_timezone(timestamp_expression, zone) -%}
timestamp(datetime({{ timestamp_expression }}), '{{ zone }}')
{%- endmacro %}
