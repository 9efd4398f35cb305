-- The days that this run writes: those whose version is not the one their attempts carry, those that the last run left
-- unfinished, those asked for, and the days of every request and event that has a part in them.

-- depends_on: {{ ref('int_usage_events_judged') }}

{% set attempts = versioned_attempts() %}
{% set last_run = relation_of_last_run('int_touched_days') %}
{% set finished = built_relation('int_days_finished') %}

with versions as (

    select * from {{ ref('int_day_versions') }}

),

{% if attempts -%}
written as (

    select
        usage_date_utc,
        min(day_version) as first_version,
        max(day_version) as last_version
    from {{ attempts }}
    group by usage_date_utc

),

{% endif -%}
{% if not restates_everything() -%}
-- A day of which nothing is acceptable has no attempts, and needs none.
not_written as (

    select distinct versions.usage_date_utc as usage_date_utc
    from {{ ref('int_usage_events_judged') }} as events
    inner join versions
        on cast(events.started_at as date) = versions.usage_date_utc
    left join written
        on versions.usage_date_utc = written.usage_date_utc
    where
        events.quarantine_reason is null
        and written.usage_date_utc is null

),

unfinished as (

    {% if last_run and finished -%}
    select last_run.usage_date_utc
    from {{ last_run }} as last_run
    left join {{ finished }} as finished
        on last_run.run_id = finished.run_id
    where finished.run_id is null
    {%- else -%}
    select usage_date_utc from versions
    {%- endif %}

),

changed as (

    select
        versions.usage_date_utc as usage_date_utc,
        versions.day_version,
        case
            when not_written.usage_date_utc is not null then 'new_day'
            when written.first_version != written.last_version then 'unfinished'
            when substring(versions.day_version, 1, 12) != substring(written.first_version, 1, 12) then 'new_rows'
            when substring(versions.day_version, 14, 12) != substring(written.first_version, 14, 12) then 'prices'
            when versions.day_version != written.first_version then 'configuration'
            when unfinished.usage_date_utc is not null then 'unfinished'
            {%- if var('touched_from', none) %}
            when
                versions.usage_date_utc >= cast('{{ var('touched_from') }}' as date)
                and versions.usage_date_utc < cast('{{ var('touched_to') }}' as date)
                then 'asked'
            {%- endif %}
        end as reason
    from versions
    left join written
        on versions.usage_date_utc = written.usage_date_utc
    left join not_written
        on versions.usage_date_utc = not_written.usage_date_utc
    left join unfinished
        on versions.usage_date_utc = unfinished.usage_date_utc

),

touched as (

    select * from changed
    where reason is not null

),

landed as (

    select
        event_id,
        external_request_id
    from {{ ref('int_usage_events_judged') }} as events
    inner join touched
        on cast(events.started_at as date) = touched.usage_date_utc
    where events.quarantine_reason is null

),

-- Where the events of these days are, or were before a revision moved them.
related_events as (

    select
        cast(started_at as date) as usage_date_utc,
        external_request_id
    from {{ ref('int_usage_events_judged') }}
    where
        quarantine_reason is null
        and event_id in (select landed.event_id from landed)

    union distinct

    select
        usage_date_utc,
        external_request_id
    from {{ attempts }}
    where
        event_id in (select landed.event_id from landed)
        or usage_date_utc in (select touched.usage_date_utc from touched)

),

related_requests as (

    select usage_date_utc
    from {{ attempts }}
    where external_request_id in (
        select related_events.external_request_id
        from related_events
        where related_events.external_request_id is not null
    )

),

related as (

    select usage_date_utc from related_events
    union distinct
    select usage_date_utc from related_requests

),

{% endif -%}
final as (

    select
        versions.usage_date_utc as usage_date_utc,
        versions.day_version as day_version,
        {{ "'everything'" if restates_everything() else "coalesce(touched.reason, 'request')" }} as reason,
        {{ 'true' if restates_everything() else 'false' }} as is_everything,
        {%- if attempts %}
        coalesce(substring(versions.day_version, 14, 12) != substring(written.last_version, 14, 12), false)
            as has_other_prices,
        {%- else %}
        false as has_other_prices,
        {%- endif %}
        '{{ invocation_id }}' as run_id
    from versions
    {%- if attempts %}
    left join written
        on versions.usage_date_utc = written.usage_date_utc
    {%- endif %}
    {%- if not restates_everything() %}
    left join touched
        on versions.usage_date_utc = touched.usage_date_utc
    left join related
        on versions.usage_date_utc = related.usage_date_utc
    where
        touched.usage_date_utc is not null
        or related.usage_date_utc is not null
    {%- endif %}

)

select * from final
