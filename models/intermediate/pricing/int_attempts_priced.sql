-- The cost of one call: quantity times unit price for each usage type, as of the moment of the call. A part that has no
-- price of its own (cached input, say) stays in its whole at the whole's price. Unknown is not zero: see cost_status.

with attempts as (

    select * from {{ ref('int_attempts_sequenced') }}

),

rate_cards as (

    select * from {{ ref('int_rate_cards') }}

),

priced_service_tiers as (

    select distinct
        provider_id,
        model_id,
        service_tier
    from rate_cards

),

resolved as (

    select
        attempts.*,
        models.priced_provider_id,
        models.priced_model_id,
        coalesce(priced_service_tiers.service_tier, 'default') as priced_service_tier,
        extract(hour from attempts.started_at) * 60 + extract(minute from attempts.started_at) as clock_minute
    from attempts
    left join {{ ref('int_models_resolved') }} as models
        on attempts.provider = models.provider
        and attempts.model = models.model
    left join priced_service_tiers
        on models.priced_provider_id = priced_service_tiers.provider_id
        and models.priced_model_id = priced_service_tiers.model_id
        and attempts.service_tier = priced_service_tiers.service_tier

),

carded as (

    select
        resolved.*,
        rate_cards.price_id,
        rate_cards.input_unit_price,
        rate_cards.cached_input_unit_price,
        rate_cards.cache_write_unit_price,
        rate_cards.cache_write_1h_unit_price,
        rate_cards.output_unit_price,
        rate_cards.reasoning_unit_price,
        rate_cards.has_request_fee
    from resolved
    left join rate_cards
        on resolved.priced_provider_id = rate_cards.provider_id
        and resolved.priced_model_id = rate_cards.model_id
        and resolved.priced_service_tier = rate_cards.service_tier
        and resolved.usage_date_utc >= rate_cards.valid_from
        and resolved.usage_date_utc < rate_cards.valid_to
        and resolved.clock_minute >= rate_cards.clock_from_minute
        and resolved.clock_minute < rate_cards.clock_to_minute
        and coalesce(resolved.input_tokens, 0) between rate_cards.min_input_tokens and rate_cards.max_input_tokens

),

parts as (

    select
        *,
        case when cached_input_unit_price is null then 0 else coalesce(cached_input_tokens, 0) end
            as cached_input_quantity,
        case when cache_write_1h_unit_price is null then 0 else coalesce(cache_write_1h_tokens, 0) end
            as cache_write_1h_quantity,
        case when reasoning_unit_price is null then 0 else coalesce(reasoning_tokens, 0) end as reasoning_quantity
    from carded

),

written as (

    select
        *,
        case
            when cache_write_unit_price is null then 0
            else coalesce(cache_write_tokens, 0) - cache_write_1h_quantity
        end as cache_write_quantity
    from parts

),

quantities as (

    select
        *,
        input_tokens - cached_input_quantity - cache_write_quantity - cache_write_1h_quantity as input_quantity,
        output_tokens - reasoning_quantity as output_quantity
    from written

),

judged as (

    select
        *,
        case
            when
                cache_hit
                or (status != 'success' and coalesce(input_tokens, 0) + coalesce(output_tokens, 0) = 0)
                then 'not_billed'
            when price_id is null
                then 'unpriced'
            when coalesce(input_tokens, 0) + coalesce(output_tokens, 0) = 0
                then 'usage_missing'
            when
                input_tokens is null
                or (status = 'success' and output_tokens is null and output_unit_price is not null)
                or (input_quantity > 0 and input_unit_price is null)
                or (output_quantity > 0 and output_unit_price is null)
                -- billed beside the tokens, and not priced yet
                or has_request_fee
                or web_search_requests > 0
                or replace(other_usage, ' ', '') != '{}'
                then 'partial'
            else 'priced'
        end as cost_status
    from quantities

),

costed as (

    select
        *,
        {{ usage_cost('input') }},
        {{ usage_cost('cached_input') }},
        {{ usage_cost('cache_write') }},
        {{ usage_cost('cache_write_1h') }},
        {{ usage_cost('output') }},
        {{ usage_cost('reasoning') }}
    from judged

),

final as (

    select
        *,
        case
            when cost_status in ('priced', 'partial', 'not_billed')
                then {{ money(
                    'input_cost_usd + cached_input_cost_usd + cache_write_cost_usd'
                    ~ ' + cache_write_1h_cost_usd + output_cost_usd + reasoning_cost_usd'
                ) }}
        end as cost_usd
    from costed

)

select * from final
