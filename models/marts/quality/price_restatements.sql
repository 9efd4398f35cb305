-- What a change of prices did to days already told: append-only, so that a number that moved can be explained years later.

{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='append_new_columns') }}

with final as (

    select
        before.first_run_id as run_id,
        {{ as_of() }} as restated_at,
        before.usage_date_utc,
        attempts.provider,
        attempts.model,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_money('coalesce(before.cost_usd, 0)') }} as cost_before_usd,
        {{ sum_money('coalesce(attempts.cost_usd, 0)') }} as cost_after_usd,
        {{ sum_money('coalesce(attempts.cost_usd, 0) - coalesce(before.cost_usd, 0)') }} as moved_usd
    from {{ ref('int_costs_before') }} as before
    inner join {{ ref('fct_llm_attempts') }} as attempts
        on before.source = attempts.source
        and before.event_id = attempts.event_id
    where
        coalesce(before.price_id, '') != coalesce(attempts.price_id, '')
        {%- if is_incremental() %}
        and before.first_run_id not in (select restatements.run_id from {{ this }} as restatements)
        {%- endif %}
    group by before.first_run_id, before.usage_date_utc, attempts.provider, attempts.model

)

select * from final
