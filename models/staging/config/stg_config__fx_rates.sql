-- A rate holds until the currency's next one.

with dated as (

    select
        upper(currency) as currency,
        cast(valid_from as {{ type_validity_date() }}) as valid_from,
        usd_per_unit as rate_text,
        cast(usd_per_unit as {{ type_unit_price() }}) as usd_per_unit
    from {{ config_seed('fx_rates') }}

),

final as (

    select
        currency,
        valid_from,
        coalesce(
            {{ row_after('valid_from') }} over (partition by currency order by valid_from),
            cast('9999-12-31' as {{ type_validity_date() }})
        ) as valid_to,
        rate_text,
        usd_per_unit
    from dated

)

select * from final
