-- The price book as it is applied, line by line: what a person compares with the price page and the contract.

with usage as (

    select
        price_id,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        min(usage_date_utc) as first_used_on,
        max(usage_date_utc) as last_used_on
    from {{ ref('fct_llm_attempts') }}
    where price_id is not null
    group by price_id

),

final as (

    select
        rate_cards.price_id as price_id,
        prices.usage_type,
        rate_cards.provider_id as provider_id,
        rate_cards.model_id as model_id,
        rate_cards.service_tier as service_tier,
        rate_cards.speed as speed,
        rate_cards.region as region,
        rate_cards.min_input_tokens as min_input_tokens,
        rate_cards.max_input_tokens,
        rate_cards.valid_from as valid_from,
        rate_cards.valid_to as valid_to,
        rate_cards.weekdays as weekdays,
        cast(rate_cards.clock_from_minute as {{ dbt.type_bigint() }}) as clock_from_minute,
        cast(rate_cards.clock_to_minute as {{ dbt.type_bigint() }}) as clock_to_minute,
        prices.terms,
        prices.list_unit_price,
        prices.unit_price,
        prices.source,
        prices.verified_on,
        prices.note,
        rate_cards.is_free,
        rate_cards.valid_from <= {{ as_of_date() }} and rate_cards.valid_to > {{ as_of_date() }} as is_current,
        coalesce(usage.attempts, 0) as attempts,
        usage.first_used_on,
        usage.last_used_on
    from {{ ref('int_unit_prices') }} as prices
    inner join {{ ref('int_rate_cards') }} as rate_cards
        on prices.card_id = rate_cards.card_id
    left join usage
        on rate_cards.price_id = usage.price_id

)

select * from final
