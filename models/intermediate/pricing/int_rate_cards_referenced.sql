-- The cards that calls of a logged name may be billed by. A service tier, speed or region without cards of its own is
-- billed as the default one.

with logged_models as (

    select distinct
        provider,
        model,
        service_tier,
        speed,
        region
    from {{ ref('int_named_models') }}

),

rate_cards as (

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
        logged_models.provider as provider,
        logged_models.model as model,
        logged_models.service_tier as service_tier,
        logged_models.speed as speed,
        logged_models.region as region,
        card_kinds.provider_id as priced_provider_id,
        card_kinds.model_id as priced_model_id,
        card_kinds.service_tier as priced_service_tier,
        card_kinds.speed as priced_speed,
        card_kinds.region as priced_region,
        row_number() over (
            partition by
                logged_models.provider, logged_models.model, logged_models.service_tier,
                logged_models.speed, logged_models.region
            order by
                case when card_kinds.service_tier = 'default' then 1 else 0 end,
                case when card_kinds.speed = '' then 1 else 0 end,
                case when card_kinds.region = '' then 1 else 0 end
        ) as choice
    from logged_models
    inner join {{ ref('int_models_resolved') }} as models
        on logged_models.provider = models.provider
        and logged_models.model = models.model
    inner join card_kinds
        on models.priced_provider_id = card_kinds.provider_id
        and models.priced_model_id = card_kinds.model_id
        and card_kinds.service_tier in (logged_models.service_tier, 'default')
        and card_kinds.speed in (logged_models.speed, '')
        and card_kinds.region in (logged_models.region, '')

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
        {{ each_usage_type(['rate_cards.<type>_unit_price', 'rate_cards.list_<type>_unit_price']) }},
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
