-- The price list as it is applied: what a million tokens cost, from when to when, and whether any call used it.

with rate_cards as (

    select * from {{ ref('int_rate_cards') }}

),

usage as (

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
        rate_cards.price_id,
        rate_cards.provider_id,
        rate_cards.model_id,
        rate_cards.service_tier,
        rate_cards.min_input_tokens,
        rate_cards.max_input_tokens,
        rate_cards.valid_from,
        rate_cards.valid_to,
        cast(rate_cards.clock_from_minute as {{ dbt.type_bigint() }}) as clock_from_minute,
        cast(rate_cards.clock_to_minute as {{ dbt.type_bigint() }}) as clock_to_minute,
        {{ money('rate_cards.input_unit_price * 1000000') }} as input_usd_per_million,
        {{ money('rate_cards.cached_input_unit_price * 1000000') }} as cached_input_usd_per_million,
        {{ money('rate_cards.cache_write_unit_price * 1000000') }} as cache_write_usd_per_million,
        {{ money('rate_cards.cache_write_1h_unit_price * 1000000') }} as cache_write_1h_usd_per_million,
        {{ money('rate_cards.output_unit_price * 1000000') }} as output_usd_per_million,
        {{ money('rate_cards.reasoning_unit_price * 1000000') }} as reasoning_usd_per_million,
        rate_cards.is_free,
        rate_cards.valid_from <= {{ as_of_date() }} and rate_cards.valid_to > {{ as_of_date() }} as is_current,
        coalesce(usage.attempts, 0) as attempts,
        usage.first_used_on,
        usage.last_used_on
    from rate_cards
    left join usage
        on rate_cards.price_id = usage.price_id

)

select * from final
