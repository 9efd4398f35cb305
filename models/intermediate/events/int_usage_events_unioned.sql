-- Every source's acceptable rows of the days that this run reads, under one column list.

{{ config(materialized=shared_step()) }}

-- depends_on: {{ ref('int_read_days') }}

{% set columns = event_columns() %}

with delivered as (

    select
        {{ columns | join(',\n        ') }},
        coalesce(_row_hash, '') as _row_hash,
        coalesce(_source_file, '') as _source_file,
        coalesce(_source_line, 0) as _source_line,
        cast(1 as {{ dbt.type_bigint() }}) as deliveries
    from {{ ref('stg_app__usage_events') }}
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
