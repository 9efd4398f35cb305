-- The cost of one call: quantity times unit price for each usage type, as of the moment of the call. Unknown is not
-- zero: see cost_status.

with attempts as (

    select
        *,
        {{ lower_case("coalesce(speed, '')") }} as logged_speed,
        {{ lower_case("coalesce(region, '')") }} as logged_region,
        extract(hour from started_at) * 60 + extract(minute from started_at) as clock_minute
    from {{ ref('int_attempts_sequenced') }}

),

resolved as (

    select
        attempts.*,
        models.priced_provider_id,
        models.priced_model_id
    from attempts
    left join {{ ref('int_models_resolved') }} as models
        on attempts.provider = models.provider
        and attempts.model = models.model

),

carded as (

    select
        resolved.*,
        cards.priced_service_tier,
        cards.price_id,
        cards.is_negotiated,
        {{ each_usage_type(['cards.<type>_unit_price', 'cards.list_<type>_unit_price']) }}
    from resolved
    left join {{ ref('int_rate_cards_referenced') }} as cards
        on resolved.provider = cards.provider
        and resolved.model = cards.model
        and resolved.service_tier = cards.service_tier
        and resolved.logged_speed = cards.speed
        and resolved.logged_region = cards.region
        and resolved.usage_date_utc >= cards.valid_from
        and resolved.usage_date_utc < cards.valid_to
        and resolved.clock_minute >= cards.clock_from_minute
        and resolved.clock_minute < cards.clock_to_minute
        and {{ is_weekday_in('resolved.usage_date_utc', 'cards.weekdays') }}
        and coalesce(resolved.input_tokens, 0) between cards.min_input_tokens and cards.max_input_tokens

),
{{ billed_quantities('carded') }},

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
            when
                coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + {{ units_beside_tokens() }} = 0
                or {{ breakdown_is_missing() }}
                then 'usage_missing'
            when
                (input_tokens is null and input_unit_price is not null)
                or (status = 'success' and output_tokens is null and output_unit_price is not null)
                -- a card by the hour, page or character does not bill tokens
                or (input_quantity > 0 and input_unit_price is null and output_unit_price is not null)
                or (output_quantity > 0 and output_unit_price is null and input_unit_price is not null)
                or {{ units_beside_tokens_lack_a_price() }}
                then 'partial'
            else 'priced'
        end as calculated_status
    from quantities

),

sourced as (

    select
        *,
        case
            when
                '{{ cost_source() }}' = 'auto'
                and calculated_status in ('unpriced', 'usage_missing')
                and reported_cost_usd is not null
                then 'provider_reported'
            when '{{ cost_source() }}' = 'reported' and reported_cost_usd is not null
                then 'provider_reported'
            when '{{ cost_source() }}' = 'reported' and calculated_status != 'not_billed'
                then 'unpriced'
            else calculated_status
        end as cost_status
    from judged

),

weighed as (

    select
        *,
        cost_status in ('priced', 'partial') as is_costed,
        {{ money("case when cost_status in ('priced', 'partial', 'not_billed') then 0 end") }} as zero_usd,
        {{ uses_more_than_text() }} as uses_more_than_text
    from sourced

),

costed as (

    select
        *,
        {{ usage_costs() }}
    from weighed

),

others_summed as (

    select
        *,
        {{ other_costs_sum() }} as other_cost_usd,
        {{ cache_savings() }} as cache_savings_usd
    from costed

),

summed as (

    select
        *,
        {{ money(
            "case
            when cost_status = 'provider_reported' then reported_cost_usd
            when cost_status in ('priced', 'partial', 'not_billed') then " ~ text_costs_sum() ~ " + other_cost_usd
        end"
        ) }} as cost_usd
    from others_summed

),

final as (

    select
        *,
        case when cost_status = 'provider_reported' then 'reported' else 'calculated' end as cost_source,
        {{ money(
            "case
            when calculated_status in ('priced', 'partial') and (is_negotiated or cost_status != calculated_status)
                then " ~ list_cost() ~ "
            when calculated_status not in ('unpriced', 'usage_missing') then coalesce(cost_usd, 0)
        end"
        ) }} as list_cost_usd
    from summed

)

select * from final
