{#- Is a clock text in `[minute_from, minute_to)` of a relation, which goes over midnight unless it ends after it begins? -#}
{% macro is_minute_within(clock, windows) -%}
case
            when {{ windows }}.minute_from < {{ windows }}.minute_to
                then {{ clock }} >= {{ windows }}.minute_from and {{ clock }} < {{ windows }}.minute_to
            else {{ clock }} >= {{ windows }}.minute_from or {{ clock }} < {{ windows }}.minute_to
        end
{%- endmacro %}

{% macro weekday_names() %}{{ return(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']) }}{% endmacro %}

{#- Minutes since midnight of a clock text; null where it is none. -#}
{% macro minute_of_day(clock) -%}
case
            when {{ is_written_as(clock, 'clock') }}
                then 60 * cast(substring({{ clock }}, 1, 2) as integer) + cast(substring({{ clock }}, 4, 2) as integer)
        end
{%- endmacro %}
