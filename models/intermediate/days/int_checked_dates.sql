-- A failed call just before midnight makes the first call after it a suspected retry: a date's checks are also of the
-- date before.

select
    usage_date,
    is_everything
from {{ ref('int_touched_dates') }}

union distinct

select
    {{ add_days('usage_date', 1) }} as usage_date,
    is_everything
from {{ ref('int_touched_dates') }}
