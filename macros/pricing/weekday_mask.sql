{#- Weekdays as a person writes them (`sat sun`, blank for all) as seven digits from Monday on: 1 where it is one. -#}
{% macro weekday_mask(weekdays) -%}
case
            when {{ weekdays }} is null then '1111111'
            else
                {%- set digits = [] -%}
                {%- for day in weekday_names() -%}
                    {%- do digits.append(
                        'case when ' ~ dbt.position("'" ~ day ~ "'", weekdays) ~ " > 0 then '1' else '0' end"
                    ) -%}
                {%- endfor %}
                {{ dbt.concat(digits) }}
        end
{%- endmacro %}

{#- 0 for a Monday to 6 for a Sunday. 2018-01-01 was a Monday. -#}
{% macro weekday_number(day) -%}
mod({{ days_between("cast('2018-01-01' as date)", day) }}, 7)
{%- endmacro %}

{#- Is the UTC day one of the weekdays of a mask? -#}
{% macro is_weekday_in(day, mask) -%}
substring({{ mask }}, {{ weekday_number(day) }} + 1, 1) = '1'
{%- endmacro %}
