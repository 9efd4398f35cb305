-- Who there is to charge, under one name each.

with spend as (

    select * from {{ ref('fct_daily_spend') }}

),

aliases as (

    select
        canonical_id as tenant_id,
        cast(count(*) as {{ dbt.type_bigint() }}) as merged_names
    from {{ ref('stg_config__identity_aliases') }}
    where
        identity_type = 'tenant'
        and alias != canonical_id
    group by canonical_id

),

final as (

    select
        spend.tenant_id,
        min(spend.usage_date) as first_usage_date,
        max(spend.usage_date) as last_usage_date,
        {{ sum_count('spend.attempts') }} as attempts,
        coalesce(max(aliases.merged_names), 0) as merged_names,
        spend.tenant_id = {{ unattributed() }} as is_unattributed
    from spend
    left join aliases
        on spend.tenant_id = aliases.tenant_id
    group by spend.tenant_id

)

select * from final
