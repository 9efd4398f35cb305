{#- Rows of the days that a table of days lists, said twice: exactly, and as dates that stand in the SQL, for an engine reads
    only those parts of a large table whose dates it knows before it begins. -#}
{% macro on_days_of(column, days, day='usage_date_utc') -%}
    cast({{ column }} as date) in (select days.{{ day }} from {{ ref(days) }} as days)
    and {{ between_days_of(column, days, day) }}
{%- endmacro %}

{#- The same, dates only: for where a join with the days follows. Many gaps are read over. `shifts` are other days than those
    listed, by how many days later they are. -#}
{% macro between_days_of(column, days, day='usage_date_utc', shifts=[0]) -%}
    {%- set listed = listed_dates(days, day) -%}
    {%- if listed is none -%}
        {{ return('1 = 1') }}
    {%- endif -%}
    {%- set dates = [] -%}
    {%- for shift in shifts -%}
        {%- for date in listed -%}{%- do dates.append(date + modules.datetime.timedelta(days=shift)) -%}{%- endfor -%}
    {%- endfor -%}
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

{#- Attempts of the reporting time zone's dates that a run writes. They are kept by UTC day, of which a date has parts of
    two or three. -#}
{% macro attempts_on_touched_dates() -%}
    {{ on_days_of('usage_date', 'int_touched_dates', 'usage_date') }}
    and {{ between_days_of('usage_date_utc', 'int_touched_dates', 'usage_date', shifts=[-1, 0, 1]) }}
{%- endmacro %}

{#- The dates that a table of days lists; none where it is not there yet. -#}
{% macro listed_dates(days, day) -%}
    {%- set relation = built_relation(days) -%}
    {%- if not relation -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set dates = [] -%}
    {%- for row in run_query('select distinct ' ~ day ~ ' from ' ~ relation ~ ' order by 1').rows -%}
        {#- some clients answer a date as text -#}
        {%- do dates.append(modules.datetime.date.fromisoformat(row[0] | string)) -%}
    {%- endfor -%}
    {{ return(dates) }}
{%- endmacro %}
