-- What each tenant pays, under the name it is counted under. Revenue in another currency is worth the dollars of the
-- month's first day, so that a rate that moves later does not move a month that was closed.

with declared as (

    select
        tenant_id,
        {{ dbt.concat([text_part('month', 1, 7), "'-01'"]) }} as first_day,
        cast(revenue_usd as {{ type_decimal(18, 6) }}) as amount,
        upper(coalesce(currency, 'USD')) as currency
    from {{ config_seed('tenant_revenue') }}

),

dated as (

    select
        tenant_id,
        cast(first_day as {{ type_validity_date() }}) as usage_month,
        amount,
        currency
    from declared

),

-- Without any rate the amount is unknown, which a test refuses.
final as (

    select
        coalesce(identity_aliases.canonical_id, dated.tenant_id) as tenant_id,
        dated.usage_month,
        case
            when dated.currency = 'USD' then {{ money('dated.amount') }}
            else {{ derived_usd(product('dated.amount', 'fx_rates.usd_per_unit', decimals=18)) }}
        end as revenue_usd,
        dated.currency as currency
    from dated
    left join {{ ref('stg_config__fx_rates') }} as fx_rates
        on dated.currency = fx_rates.currency
        and dated.usage_month >= fx_rates.valid_from
        and dated.usage_month < fx_rates.valid_to
    left join {{ ref('stg_config__identity_aliases') }} as identity_aliases
        on dated.tenant_id = identity_aliases.alias
        and identity_aliases.identity_type = 'tenant'

)

select * from final
