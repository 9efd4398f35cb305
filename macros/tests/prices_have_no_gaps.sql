{#- Fails with the days on which the prices of a key stop, or cover less than each minute of the week, although others hold
    later, and with validities that have no price for calls of few tokens. -#}
{% test prices_have_no_gaps(model, key) %}
{%- set window = ['valid_from', 'valid_to', 'clock_from', 'clock_to', 'weekdays'] %}
with windows as (

    select
        {{ (key + window) | join(',\n        ') }},
        coalesce(valid_from, '0000-00-00') as day_from,
        coalesce(valid_to, '9999-99-99') as day_to,
        coalesce({{ minute_of_day('clock_from') }}, 0) as minute_from,
        coalesce({{ minute_of_day('clock_to') }}, 1440) as minute_to,
        case
            when weekdays is null then 7
            else
                {%- for day in weekday_names() %}
                case when weekdays like '%{{ day }}%' then 1 else 0 end{{ ' +' if not loop.last }}
                {%- endfor %}
        end as days_of_week,
        sum(case when context_above_tokens = '0' then 1 else 0 end) as prices_from_no_tokens,
        {{ key_hash(key) }} as series
    from {{ model }}
    group by {{ (key + window) | join(', ') }}

),

change_days as (

    select
        series,
        day_from as change_day
    from windows

    union distinct

    select
        series,
        day_to as change_day
    from windows

),

coverage as (

    select
        change_days.series,
        change_days.change_day,
        max(windows.day_to) as last_day,
        sum(
            case
                when windows.day_from > change_days.change_day or windows.day_to <= change_days.change_day then 0
                when windows.minute_from < windows.minute_to
                    then windows.days_of_week * (windows.minute_to - windows.minute_from)
                else windows.days_of_week * (1440 + windows.minute_to - windows.minute_from)
            end
        ) as minutes_of_week
    from change_days
    inner join windows
        on change_days.series = windows.series
    group by
        change_days.series,
        change_days.change_day

),

gaps as (

    select
        windows.*,
        coverage.change_day,
        coverage.minutes_of_week,
        row_number() over (
            partition by coverage.series, coverage.change_day
            order by windows.day_to, {{ window | join(', ') }}
        ) as nearness
    from coverage
    inner join windows
        on coverage.series = windows.series
        and coverage.change_day in (windows.day_from, windows.day_to)
    where
        coverage.change_day < coverage.last_day
        and coverage.minutes_of_week < 10080

)

select
    {{ (key + window) | join(',\n    ') }},
    {{ dbt.concat([
        "'from '",
        "case when change_day = '0000-00-00' then 'the beginning' else change_day end",
        "' on, '",
        'cast(minutes_of_week as ' ~ dbt.type_string() ~ ')',
        "' of the 10080 minutes of a week have a price'",
    ]) }} as fault
from gaps
where nearness = 1

union all

select
    {{ (key + window) | join(',\n    ') }},
    'context_above_tokens 0 has no price' as fault
from windows
where prices_from_no_tokens = 0
{% endtest %}
