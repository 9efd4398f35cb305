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

tolerated as (

    select
        periods.provider as provider,
        periods.usage_date_utc,
        periods.fetched_at,
        coalesce(tolerances.tolerance_ratio, 0) as tolerance_ratio,
        coalesce(tolerances.tolerance_usd, 0) as tolerance_usd,
        {{ add_days('periods.usage_date_utc', 'coalesce(tolerances.final_after_days, 0) + 1') }} as final_from,
        row_number() over (
            partition by periods.provider, periods.usage_date_utc
            order by case when tolerances.provider is null then 1 else 0 end
        ) as choice
    from periods
    left join {{ ref('stg_config__reconciliation_tolerances') }} as tolerances
        on periods.provider = coalesce(tolerances.provider, periods.provider)

),

final as (

    select
        provider,
        usage_date_utc,
        cast(final_from as {{ type_utc_timestamp() }}) as final_from,
        fetched_at >= cast(final_from as {{ type_utc_timestamp() }}) as is_final,
        tolerance_ratio,
        tolerance_usd
    from tolerated
    where choice = 1

)

select * from final
