-- What the attempts know and the raw rows do not say: attempts of the days of this run whose raw rows are gone, for
-- what was loaded once is only priced again, never lost. And later deliveries of this run's events, on other days.

-- depends_on: {{ ref('int_touched_days') }}
-- depends_on: {{ ref('int_read_days') }}

{% set attempts = built_relation('fct_llm_attempts') %}

{% if attempts -%}
with landed as (

    select
        events.source,
        events.event_id
    from {{ ref('int_usage_events_judged') }} as events
    inner join {{ ref('int_touched_days') }} as touched_days
        on cast(events.started_at as date) = touched_days.usage_date_utc
    where
        -- what a later row shows to be no call of its own is no attempt any more
        (events.quarantine_reason is null or events.left_out_reason is not null)
        and {{ between_days_of('events.started_at', 'int_touched_days') }}

),

attempts as (

    select
        attempts.*,
        touched_days.usage_date_utc is not null as is_of_this_run
    from {{ attempts }} as attempts
    left join {{ ref('int_touched_days') }} as touched_days
        on attempts.usage_date_utc = touched_days.usage_date_utc
    {%- if restates_everything() %}
    where touched_days.usage_date_utc is not null
    {%- else %}
    where
        {{ between_days_of('attempts.usage_date_utc', 'int_read_days') }}
        and (
            touched_days.usage_date_utc is not null
            or attempts.event_id in (select landed.event_id from landed)
        )
    {%- endif %}

),

final as (

    select
        {% for column in event_columns() if column != 'provider' -%}
        attempts.{{ column }},
        {% endfor -%}
        nullif(attempts.provider, {{ unattributed() }}) as provider,
        attempts.deliveries
    from attempts
    left join landed
        on attempts.source = landed.source
        and attempts.event_id = landed.event_id
    where attempts.is_of_this_run = (landed.event_id is null)

)
{%- else -%}
with final as (

    select
        {{ event_columns() | join(',\n        ') }},
        cast(1 as {{ dbt.type_bigint() }}) as deliveries
    from {{ ref('int_usage_events_judged') }}
    where 1 = 0

)
{%- endif %}

select * from final
