{#- The package's only clock: UTC text. Nothing else may read the time. -#}
{% macro as_of_text() -%}
    {%- if var('as_of', none) -%}
        {{ return(var('as_of') | string | replace('T', ' ') | replace('Z', '')) }}
    {%- elif var('event_source', 'demo') == 'demo' -%}
        {{ return('2026-10-26 00:00:00') }}
    {%- else -%}
        {{ return(run_started_at.strftime('%Y-%m-%d %H:%M:%S')) }}
    {%- endif -%}
{%- endmacro %}

{% macro as_of() -%}cast('{{ as_of_text() }}' as {{ type_utc_timestamp() }}){%- endmacro %}

{#- The date of as_of in the reporting time zone. Days before it are complete. -#}
{% macro as_of_date() -%}cast({{ in_reporting_timezone(as_of()) }} as date){%- endmacro %}

{#- The UTC date of as_of. -#}
{% macro as_of_date_utc() -%}cast('{{ as_of_text()[:10] }}' as date){%- endmacro %}

{#- From so many days ago on, or a day earlier: a date that stands in the SQL, for an engine reads only those parts of a large
    table whose dates it knows before it begins. -#}
{% macro since_days_ago(column, days) -%}
    {%- set today = modules.datetime.date.fromisoformat(as_of_text()[:10]) -%}
    {{ column }} >= {{ day_literal(today - modules.datetime.timedelta(days=days + 1)) }}
{%- endmacro %}

{#- The last whole days, so many. -#}
{% macro in_last_days(column, days) -%}
    {{ since_days_ago(column, days) }}
        and {{ column }} >= {{ add_days(as_of_date(), -1 * days) }}
        and {{ column }} < {{ as_of_date() }}
{%- endmacro %}
