-- The days whose rows decide what is written: those of this run, and those with another delivery of one of their events
-- or another attempt of one of their requests.

{{ config(materialized='table') }}

-- depends_on: {{ ref('int_usage_events_judged') }}

{% set attempts = versioned_attempts() %}

{% if restates_everything() -%}
select usage_date_utc
from {{ ref('int_touched_days') }}
{%- else -%}
with landed as (

    select
        event_id,
        external_request_id
    from {{ ref('int_usage_events_judged') }}
    where
        quarantine_reason is null
        and {{ on_days_of('started_at', 'int_touched_days') }}

),

written as (

    select
        event_id,
        external_request_id
    from {{ attempts }}
    where {{ on_days_of('usage_date_utc', 'int_touched_days') }}

),

ids as (

    select * from landed
    union all
    select * from written

),

final as (

    select usage_date_utc from {{ ref('int_touched_days') }}

    {% if calls_may_repeat() -%}
    -- another log may have a call of these days on the day beside
    union distinct

    select {{ add_days('usage_date_utc', -1) }} as usage_date_utc from {{ ref('int_touched_days') }}

    union distinct

    select {{ add_days('usage_date_utc', 1) }} as usage_date_utc from {{ ref('int_touched_days') }}

    {% endif -%}
    union distinct

    select cast(started_at as date) as usage_date_utc
    from {{ ref('int_usage_events_judged') }}
    where event_id in (select landed.event_id from landed)

    union distinct

    select usage_date_utc
    from {{ attempts }}
    where
        event_id in (select landed.event_id from landed)
        or external_request_id in (select ids.external_request_id from ids where ids.external_request_id is not null)

)

select * from final
{%- endif %}
