-- The cards that calls of a logged name may be billed by. A service tier, speed or region without cards of its own is
-- billed as the default one.

{% set usage_types = usage_types().keys() | list %}

with rate_cards as (

    select * from {{ ref('int_rate_cards') }}

),

card_kinds as (

    select distinct
        provider_id,
        model_id,
        service_tier,
        speed,
        region
    from rate_cards

),

candidates as (

    select
        logged.provider,
        logged.model,
        logged.service_tier,
        logged.speed,
        logged.region,
        card_kinds.provider_id as priced_provider_id,
        card_kinds.model_id as priced_model_id,
        card_kinds.service_tier as priced_service_tier,
        card_kinds.speed as priced_speed,
        card_kinds.region as priced_region,
        row_number() over (
            partition by logged.provider, logged.model, logged.service_tier, logged.speed, logged.region
            order by
                case when card_kinds.service_tier = 'default' then 1 else 0 end,
                case when card_kinds.speed = '' then 1 else 0 end,
                case when card_kinds.region = '' then 1 else 0 end
        ) as choice
    from {{ ref('int_logged_models') }} as logged
    inner join {{ ref('int_models_resolved') }} as models
        on logged.provider = models.provider
        and logged.model = models.model
    inner join card_kinds
        on models.priced_provider_id = card_kinds.provider_id
        and models.priced_model_id = card_kinds.model_id
        and card_kinds.service_tier in (logged.service_tier, 'default')
        and card_kinds.speed in (logged.speed, '')
        and card_kinds.region in (logged.region, '')

),

final as (

    select
        candidates.provider,
        candidates.model,
        candidates.service_tier,
        candidates.speed,
        candidates.region,
        candidates.priced_provider_id,
        candidates.priced_model_id,
        candidates.priced_service_tier,
        rate_cards.price_id,
        rate_cards.valid_from,
        rate_cards.valid_to,
        rate_cards.weekdays,
        rate_cards.clock_from_minute,
        rate_cards.clock_to_minute,
        rate_cards.min_input_tokens,
        rate_cards.max_input_tokens,
        {%- for usage_type in usage_types %}
        rate_cards.{{ usage_type }}_unit_price,
        rate_cards.list_{{ usage_type }}_unit_price,
        {%- endfor %}
        rate_cards.is_negotiated
    from candidates
    inner join rate_cards
        on candidates.priced_provider_id = rate_cards.provider_id
        and candidates.priced_model_id = rate_cards.model_id
        and candidates.priced_service_tier = rate_cards.service_tier
        and candidates.priced_speed = rate_cards.speed
        and candidates.priced_region = rate_cards.region
    where candidates.choice = 1

)

select * from final
