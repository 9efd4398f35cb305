-- The days whose rows decide what is written: those of this run, and those with another delivery of one of their events
-- or another attempt of one of their requests.

{{ config(materialized='table') }}

-- depends_on: {{ ref('stg_app__usage_events') }}

{% set attempts = versioned_attempts() %}

{% if restates_everything() -%}
select usage_date_utc
from {{ ref('int_touched_days') }}
{%- else -%}
with landed as (

    select
        event_id,
        external_request_id
    from {{ ref('stg_app__usage_events') }}
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

    union distinct

    select cast(started_at as date) as usage_date_utc
    from {{ ref('stg_app__usage_events') }}
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
