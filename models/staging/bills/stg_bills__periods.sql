-- A day is in a bill as of the earlier of its reports; the costs are what makes it a bill.

{{ config(enabled=provider_bills() != []) }}

select
    {{ lower_case('provider') }} as provider,
    cast(usage_date as date) as usage_date_utc,
    cast(min(fetched_at) as {{ type_utc_timestamp() }}) as fetched_at
from {{ bill_rows('bills', 'periods') }}
group by 1, 2
having max(case when report = 'costs' then 1 else 0 end) = 1
