-- The price of one unit is exact: a multiplication by a decimal power of ten, never a division. Only a price per hour
-- (3600 seconds) is rounded, half-up to 12 decimals.

with quoted as (

    select
        *,
        cast(price_usd as decimal(18, 9)) as quoted_price_usd,
        cast(
            case
                when price_unit like '1M %' then '0.000001'
                when price_unit like '1K %' then '0.001'
                when price_unit = '1 hour' then '0.000277777777777778'
                when price_unit like '1 %' then '1'
            end as decimal(19, 18)
        ) as unit_factor
    from {{ ref('model_prices') }}

),

final as (

    select
        -- what is priced
        provider_id,
        model_id,
        service_tier,
        usage_type,

        -- when
        cast(context_above_tokens as {{ dbt.type_bigint() }}) as context_above_tokens,
        context_inclusive = 'true' as is_context_inclusive,
        cast(coalesce(valid_from, '1900-01-01') as date) as valid_from,
        cast(coalesce(valid_to, '9999-12-31') as date) as valid_to,
        {%- for clock, when_open in [('clock_from', 0), ('clock_to', 1440)] %}
        coalesce(
            60 * cast(substring({{ clock }}, 1, 2) as integer) + cast(substring({{ clock }}, 4, 2) as integer),
            {{ when_open }}
        ) as {{ clock }}_minute,
        {%- endfor %}

        -- the price
        price_usd as price_text,
        price_unit,
        cast(quoted_price_usd * unit_factor as {{ type_unit_price() }}) as unit_price,

        -- where it is from
        source,
        cast(verified_on as date) as verified_on,
        note
    from quoted

)

select * from final
