-- A day is final when it was fetched after the days in which its provider may still change it. What was fetched before
-- the day was over is not all of it.

with periods as (

    {% if provider_bills() -%}
    select * from {{ ref('stg_bills__periods') }}
    {%- else -%}
    select
        cast(null as {{ dbt.type_string() }}) as provider,
        cast(null as date) as usage_date_utc,
        cast(null as {{ type_utc_timestamp() }}) as fetched_at
    from (select 0 as is_row) as empty_bill
    where is_row = 1
    {%- endif %}

),

tolerances as (

    select * from {{ ref('stg_config__reconciliation_tolerances') }}

),

-- one row, whatever the file has
others as (

    select
        coalesce(max(tolerance_ratio), 0) as tolerance_ratio,
        coalesce(max(tolerance_usd), 0) as tolerance_usd,
        coalesce(max(final_after_days), 0) as final_after_days
    from tolerances
    where provider is null

),

tolerated as (

    select
        periods.provider as provider,
        periods.usage_date_utc,
        periods.fetched_at,
        coalesce(tolerances.tolerance_ratio, others.tolerance_ratio) as tolerance_ratio,
        coalesce(tolerances.tolerance_usd, others.tolerance_usd) as tolerance_usd,
        coalesce(tolerances.final_after_days, others.final_after_days) + 1 as days_to_final
    from periods
    cross join others
    left join tolerances
        on periods.provider = tolerances.provider

),

dated as (

    select
        *,
        cast({{ add_days('usage_date_utc', 'days_to_final') }} as {{ type_utc_timestamp() }}) as final_from
    from tolerated

),

final as (

    select
        provider,
        usage_date_utc,
        final_from,
        fetched_at >= final_from as is_final,
        tolerance_ratio,
        tolerance_usd
    from dated

)

select * from final
