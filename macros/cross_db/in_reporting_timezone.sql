{#- A naive UTC timestamp as the wall clock of the reporting time zone. -#}
{% macro in_reporting_timezone(timestamp_expression) -%}
    {%- set zone = var('reporting_timezone', 'UTC') -%}
    {%- if zone == 'UTC' -%}
        {{ timestamp_expression }}
    {%- else -%}
        {{ adapter.dispatch('in_reporting_timezone', 'llm_spend')(timestamp_expression, zone) }}
    {%- endif -%}
{%- endmacro %}

{% macro default__in_reporting_timezone(timestamp_expression, zone) -%}
({{ timestamp_expression }} at time zone 'UTC') at time zone '{{ zone }}'
{%- endmacro %}

{% macro clickhouse__in_reporting_timezone(timestamp_expression, zone) -%}
({{ timestamp_expression }} + toIntervalSecond(timeZoneOffset(toTimeZone({{ timestamp_expression }}, '{{ zone }}'))))
{%- endmacro %}

{% macro spark__in_reporting_timezone(timestamp_expression, zone) -%}
from_utc_timestamp({{ timestamp_expression }}, '{{ zone }}')
{%- endmacro %}

{% macro snowflake__in_reporting_timezone(timestamp_expression, zone) -%}
convert_timezone('UTC', '{{ zone }}', {{ timestamp_expression }})
{%- endmacro %}

{% macro bigquery__in_reporting_timezone(timestamp_expression, zone) -%}
timestamp(datetime({{ timestamp_expression }}, '{{ zone }}'))
{%- endmacro %}
