-- The names that calls and bills have for what was used.

with final as (

    select
        provider,
        model,
        service_tier,
        speed,
        region
    from {{ ref('int_logged_models') }}

    union distinct

    select
        provider,
        model,
        service_tier,
        '' as speed,
        region
    from {{ ref('int_bill_usage') }}

    union distinct

    select
        provider,
        model,
        'default' as service_tier,
        '' as speed,
        '' as region
    from {{ ref('int_bill_charges') }}
    where
        charge_kind = 'tokens'
        and model is not null

)

select * from final
