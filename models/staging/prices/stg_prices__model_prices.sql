-- A clock window over midnight becomes two rows, so that every window lies within one UTC day.

with quoted as (

    select
        *,
        {%- for clock, when_open in [('clock_from', 0), ('clock_to', 1440)] %}
        coalesce(
            60 * cast(substring({{ clock }}, 1, 2) as integer) + cast(substring({{ clock }}, 4, 2) as integer),
            {{ when_open }}
        ) as {{ clock }}_minute,
        {%- endfor %}
        {{ weekday_mask('weekdays') }} as weekday_mask
    from {{ ref('model_prices') }}

),

windows as (

    select
        *,
        clock_from_minute as window_from_minute,
        case when clock_to_minute <= clock_from_minute then 1440 else clock_to_minute end as window_to_minute
    from quoted

    union all

    select
        *,
        0 as window_from_minute,
        clock_to_minute as window_to_minute
    from quoted
    where
        clock_to_minute <= clock_from_minute
        and clock_to_minute > 0

),

final as (

    select
        -- what is priced
        provider_id,
        model_id,
        service_tier,
        coalesce(speed, '') as speed,
        usage_type,

        -- when
        case
            when context_above_tokens = '0' or context_inclusive = 'true'
                then cast(context_above_tokens as {{ dbt.type_bigint() }})
            else cast(context_above_tokens as {{ dbt.type_bigint() }}) + 1
        end as min_input_tokens,
        cast(coalesce(valid_from, '1900-01-01') as {{ type_validity_date() }}) as valid_from,
        cast(coalesce(valid_to, '9999-12-31') as {{ type_validity_date() }}) as valid_to,
        window_from_minute as clock_from_minute,
        window_to_minute as clock_to_minute,
        weekday_mask as weekdays,

        -- the price
        price_usd as price_text,
        price_unit,
        {{ unit_price('price_usd', 'price_unit') }} as unit_price,

        -- where it is from
        source,
        cast(verified_on as date) as verified_on,
        note
    from windows

)

select * from final
