{#- Rows of the days that a table of days lists, said twice: exactly, and as dates that stand in the SQL, for an engine reads
    only those parts of a large table whose dates it knows before it begins. -#}
{% macro on_days_of(column, days, day='usage_date_utc') -%}
    cast({{ column }} as date) in (select days.{{ day }} from {{ ref(days) }} as days)
    and {{ between_days_of(column, days, day) }}
{%- endmacro %}

{#- The same, dates only: for where a join with the days follows. Many gaps are read over. With `days_before` also the days
    that are so many days earlier. -#}
{% macro between_days_of(column, days, day='usage_date_utc', days_before=none) -%}
    {%- set dates = listed_dates(days, day) -%}
    {%- if dates is none -%}
        {{ return('1 = 1') }}
    {%- endif -%}
    {%- if days_before -%}
        {%- for date in dates | list -%}{%- do dates.append(date - modules.datetime.timedelta(days=days_before)) -%}{%- endfor -%}
    {%- endif -%}
    {%- set ranges = [] -%}
    {%- for date in dates | unique | sort -%}
        {%- set next_date = date + modules.datetime.timedelta(days=1) -%}
        {%- if ranges and ranges[-1][1] == date -%}
            {%- do ranges.append([ranges.pop()[0], next_date]) -%}
        {%- else -%}
            {%- do ranges.append([date, next_date]) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- if not ranges -%}
        {{ return('1 = 0') }}
    {%- endif -%}
    {%- set ranges = ranges if ranges | length <= 20 else [[ranges[0][0], ranges[-1][1]]] -%}
    {%- set conditions = [] -%}
    {%- for from_date, to_date in ranges -%}
        {%- do conditions.append('(' ~ column ~ ' >= ' ~ day_literal(from_date) ~ ' and ' ~ column ~ ' < ' ~ day_literal(to_date) ~ ')') -%}
    {%- endfor -%}
    {{ return('(' ~ conditions | join(' or ') ~ ')') }}
{%- endmacro %}

{#- The dates that a table of days lists; none where it is not there yet. -#}
{% macro listed_dates(days, day) -%}
    {%- set relation = built_relation(days) -%}
    {%- if not relation -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set dates = [] -%}
    {%- for value in run_query('select distinct ' ~ day ~ ' from ' ~ relation ~ ' order by 1').columns[0].values() -%}
        {#- some clients answer a date as text -#}
        {%- do dates.append(modules.datetime.date.fromisoformat(value | string)) -%}
    {%- endfor -%}
    {{ return(dates) }}
{%- endmacro %}
