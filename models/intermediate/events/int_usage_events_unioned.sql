-- Every source's acceptable rows of the days that this run reads, under one column list.

{{ config(materialized=shared_step()) }}

-- depends_on: {{ ref('int_read_days') }}

{% set columns = event_columns() %}
-- No two deliveries of an event may have one place; a table of the user's own may not say any.
{% set unknown_line = 'row_number() over (
            partition by event_id order by started_at, coalesce(input_tokens, -1), coalesce(output_tokens, -1)
        )' if var('event_source', 'demo') == 'source' else '0' %}

with delivered as (

    select
        {{ columns | join(',\n        ') }},
        coalesce(_row_hash, '') as _row_hash,
        coalesce(_source_file, '') as _source_file,
        coalesce(_source_line, {{ unknown_line }}) as _source_line,
        cast(1 as {{ dbt.type_bigint() }}) as deliveries
    from {{ ref('int_usage_events_judged') }}
    where
        quarantine_reason is null
        and {{ on_days_of('started_at', 'int_read_days') }}

),

kept as (

    select
        {{ columns | join(',\n        ') }},
        '' as _row_hash,
        '' as _source_file,
        0 as _source_line,
        deliveries
    from {{ ref('int_attempts_kept') }}

),

final as (

    select * from delivered
    union all
    select * from kept

)

select * from final
