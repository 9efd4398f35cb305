-- What a change of prices did to days already told: append-only, so that a number that moved can be explained years
-- later.

{{ config(
    materialized='incremental',
    incremental_strategy=how_rows_are_added(),
    on_schema_change='append_new_columns'
) }}

with final as (

    select
        earlier.first_run_id as run_id,
        {{ as_of() }} as restated_at,
        earlier.usage_date_utc as usage_date_utc,
        attempts.provider,
        attempts.model,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_money('coalesce(earlier.cost_usd, 0)') }} as cost_before_usd,
        {{ sum_money('coalesce(attempts.cost_usd, 0)') }} as cost_after_usd,
        {{ sum_money('coalesce(attempts.cost_usd, 0) - coalesce(earlier.cost_usd, 0)') }} as moved_usd
    from {{ ref('fct_llm_attempts') }} as attempts
    inner join {{ ref('int_costs_before') }} as earlier
        on attempts.source = earlier.source
        and attempts.event_id = earlier.event_id
    where
        {{ 'earlier.first_run_id not in (select logged.run_id from ' ~ this ~ ' as logged) and ' if is_incremental() -}}
        coalesce(earlier.price_id, '') != coalesce(attempts.price_id, '')
        and {{ between_days_of('attempts.usage_date_utc', 'int_touched_days') }}
    group by earlier.first_run_id, earlier.usage_date_utc, attempts.provider, attempts.model

)

select * from final
