{#- Rows of the days that a table of days lists, said twice: exactly, and as dates that stand in the SQL, for an engine reads
    only those parts of a large table whose dates it knows before it begins. -#}
{% macro on_days_of(column, days, day='usage_date_utc') -%}
    cast({{ column }} as date) in (select days.{{ day }} from {{ ref(days) }} as days)
    and {{ between_days_of(column, days, day) }}
{%- endmacro %}

{#- The same, dates only: for where a join with the days follows, or with so many days before each. Many gaps are read over. -#}
{% macro between_days_of(column, days, day='usage_date_utc', days_before=0) -%}
    {%- set relation = built_relation(days) -%}
    {%- if not relation -%}
        {{ return('1 = 1') }}
    {%- endif -%}
    {%- set ranges = [] -%}
    {%- for row in run_query('select distinct ' ~ day ~ ' from ' ~ relation ~ ' order by 1').rows -%}
        {#- some clients answer a date as text -#}
        {%- set date = modules.datetime.date.fromisoformat(row[0] | string) -%}
        {%- set from_date = date - modules.datetime.timedelta(days=days_before) -%}
        {%- set next_date = date + modules.datetime.timedelta(days=1) -%}
        {%- if ranges and ranges[-1][1] >= from_date -%}
            {%- do ranges.append([ranges.pop()[0], next_date]) -%}
        {%- else -%}
            {%- do ranges.append([from_date, next_date]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not ranges -%}
        {{ return('1 = 0') }}
    {%- endif -%}
    {%- set ranges = ranges if ranges | length <= 20 else [[ranges[0][0], ranges[-1][1]]] -%}
    {%- set conditions = [] -%}
    {%- for from_date, to_date in ranges -%}
        {%- do conditions.append(
            "(" ~ column ~ " >= cast('" ~ from_date ~ "' as date) and " ~ column ~ " < cast('" ~ to_date ~ "' as date))"
        ) -%}
    {%- endfor -%}
    {{ return('(' ~ conditions | join(' or ') ~ ')') }}
{%- endmacro %}
