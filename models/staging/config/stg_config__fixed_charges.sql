-- What is paid beside the calls, with the period it is for. A charge in another currency is worth the dollars of its
-- first day.

with declared as (

    select
        charge_id,
        {{ lower_case('provider') }} as provider,
        description,
        charge_type,
        cast(amount_usd as {{ type_decimal(18, 6) }}) as amount,
        upper(coalesce(currency, 'USD')) as currency,
        cast(valid_from as {{ type_validity_date() }}) as valid_from,
        cast(valid_to as {{ type_validity_date() }}) as valid_to,
        allocation_method,
        tenant_id
    from {{ config_seed('fixed_charges') }}

),

-- Without any rate the amount is unknown, which a test refuses.
final as (

    select
        declared.charge_id,
        declared.provider,
        declared.description,
        declared.charge_type,
        case
            when declared.currency = 'USD' then {{ money('declared.amount') }}
            else {{ derived_usd(product('declared.amount', 'fx_rates.usd_per_unit', decimals=18)) }}
        end as amount_usd,
        declared.currency as currency,
        declared.valid_from as valid_from,
        declared.valid_to as valid_to,
        declared.allocation_method,
        coalesce(identity_aliases.canonical_id, declared.tenant_id) as tenant_id
    from declared
    left join {{ ref('stg_config__fx_rates') }} as fx_rates
        on declared.currency = fx_rates.currency
        and declared.valid_from >= fx_rates.valid_from
        and declared.valid_from < fx_rates.valid_to
    left join {{ ref('stg_config__identity_aliases') }} as identity_aliases
        on declared.tenant_id = identity_aliases.alias
        and identity_aliases.identity_type = 'tenant'

)

select * from final
