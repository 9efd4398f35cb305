-- A day is part of the month to date and the last 28 days of the days after it.

select distinct
    dates.date_day as usage_date,
    touched_dates.is_everything
from {{ ref('int_touched_dates') }} as touched_dates
inner join {{ ref('dim_dates') }} as dates
    on touched_dates.usage_date <= dates.date_day
    and {{ add_days('touched_dates.usage_date', 31) }} > dates.date_day
