{#- Fails with pairs of validities of one key that hold at the same moment: in dates `[valid_from, valid_to)`, and with
    `clock` also in UTC clock, over midnight too, and weekday. Blank is open. Rows of one validity belong together. -#}
{% test windows_are_disjoint(model, key, clock=false) %}
{%- set window = ['valid_from', 'valid_to'] + (['clock_from', 'clock_to', 'weekdays'] if clock else []) %}
with windows as (

    select distinct
        {{ (key + window) | join(',\n        ') }}
    from {{ model }}

),

bounded as (

    select
        *,
        coalesce(valid_from, '0000-00-00') as day_from,
        coalesce(valid_to, '9999-99-99') as day_to,
        {%- if clock %}
        coalesce(clock_from, '00:00') as minute_from,
        coalesce(clock_to, '24:00') as minute_to,
        {%- endif %}
        row_number() over (
            partition by
                {%- for column in key %}
                lower(coalesce({{ column }}, '')){{ ',' if not loop.last }}
                {%- endfor %}
            order by {{ (window + key) | join(', ') }}
        ) as window_number
    from windows

)

select
    {%- for column in key + window %}
    one.{{ column }},
    another.{{ column }} as other_{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
from bounded as one
inner join bounded as another
    on one.window_number > another.window_number
    {%- for column in key %}
    and lower(coalesce(one.{{ column }}, '')) = lower(coalesce(another.{{ column }}, ''))
    {%- endfor %}
    and one.day_from < another.day_to
    and another.day_from < one.day_to
    {%- if clock %}
    and (
        {{ is_minute_within('one.minute_from', 'another') }}
        or {{ is_minute_within('another.minute_from', 'one') }}
    )
    and (
        one.weekdays is null
        or another.weekdays is null
        {%- for day in weekday_names() %}
        or one.weekdays like '%{{ day }}%' and another.weekdays like '%{{ day }}%'
        {%- endfor %}
    )
    {%- endif %}
{% endtest %}
