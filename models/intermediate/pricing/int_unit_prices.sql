-- What one unit costs on each card: by the price list, and as agreed with the provider. A discount is taken off the
-- unit price and rounded there, never off a cost.

{% set card_columns = [
    'card_id', 'provider_id', 'model_id', 'service_tier', 'speed', 'region', 'min_input_tokens', 'valid_from', 'valid_to',
    'clock_from_minute', 'clock_to_minute', 'weekdays',
] %}

with cards as (

    select * from {{ ref('int_price_cards') }}

),

price_overrides as (

    select * from {{ ref('stg_config__price_overrides') }}

),

listed as (

    select
        cards.*,
        prices.usage_type,
        case
            when prices.usage_type in {{ usage_types_in('tokens') }}
                then {{ rounded_unit_price(product('prices.unit_price', 'cards.multiplier', decimals=24)) }}
            else prices.unit_price
        end as list_unit_price,
        {{ dbt.concat([
            'prices.price_text',
            "' USD per '",
            'prices.price_unit',
            'case when prices.usage_type in ' ~ usage_types_in('tokens') ~ " then cards.speed_terms else '' end",
            'case when prices.usage_type in ' ~ usage_types_in('tokens') ~ " then cards.region_terms else '' end",
        ]) }} as list_terms,
        prices.source,
        prices.verified_on,
        prices.note
    from cards
    inner join {{ ref('stg_prices__model_prices') }} as prices
        on cards.provider_id = prices.provider_id
        and cards.model_id = prices.model_id
        and cards.service_tier = prices.service_tier
        and cards.list_speed = prices.speed
        and cards.min_input_tokens = prices.min_input_tokens
        and cards.list_valid_from = prices.valid_from
        and cards.clock_from_minute = prices.clock_from_minute
        and cards.clock_to_minute = prices.clock_to_minute
        and cards.weekdays = prices.weekdays

),

agreed as (

    select
        cards.card_id,
        price_overrides.usage_type,
        price_overrides.specificity,
        price_overrides.discount_percent,
        price_overrides.discount_text,
        price_overrides.note,
        {{ rounded_unit_price(
            product('price_overrides.unit_price', 'coalesce(fx_rates.usd_per_unit, 1)', decimals=24)
        ) }} as unit_price,
        {{ dbt.concat([
            'price_overrides.price_text',
            "' '",
            'price_overrides.currency',
            "' per '",
            'price_overrides.price_unit',
            'coalesce(' ~ dbt.concat(["' × '", 'fx_rates.rate_text']) ~ ", '')",
        ]) }} as terms
    from cards
    inner join price_overrides
        on cards.provider_id = price_overrides.provider_id
        and {{ lower_case('cards.model_id') }} = coalesce(price_overrides.model_id, {{ lower_case('cards.model_id') }})
        and cards.service_tier = coalesce(price_overrides.service_tier, cards.service_tier)
        and cards.valid_from >= price_overrides.valid_from
        and cards.valid_from < price_overrides.valid_to
    left join {{ ref('stg_config__fx_rates') }} as fx_rates
        on price_overrides.currency = fx_rates.currency
        and cards.valid_from >= fx_rates.valid_from
        and cards.valid_from < fx_rates.valid_to
    where
        price_overrides.currency = 'USD'
        or fx_rates.currency is not null

),

-- What a part without a list price of its own would cost on the list: the price of its whole.
wholes as (

    {%- for usage_type, about in usage_types().items() if about.wholes %}
    {%- for whole in about.wholes %}
    select
        '{{ usage_type }}' as usage_type,
        '{{ whole }}' as whole,
        {{ loop.index }} as choice
    union all
    {%- endfor %}
    {%- endfor %}
    select
        null as usage_type,
        null as whole,
        0 as choice

),

added as (

    select
        {{ columns_of('cards', card_columns) }},
        agreed.usage_type as usage_type,
        agreed.unit_price,
        agreed.terms,
        agreed.note as note,
        whole_prices.list_unit_price as list_unit_price,
        row_number() over (
            partition by cards.card_id, agreed.usage_type
            order by
                agreed.specificity desc,
                case when whole_prices.list_unit_price is null then 1 else 0 end asc,
                wholes.choice asc
        ) as choice
    from agreed
    inner join cards
        on agreed.card_id = cards.card_id
    left join listed
        on agreed.card_id = listed.card_id
        and agreed.usage_type = listed.usage_type
    left join wholes
        on agreed.usage_type = wholes.usage_type
    left join listed as whole_prices
        on agreed.card_id = whole_prices.card_id
        and wholes.whole = whole_prices.usage_type
    where
        agreed.unit_price is not null
        and agreed.usage_type is not null
        and listed.usage_type is null

),

best_agreed as (

    select
        listed.card_id,
        listed.usage_type,
        agreed.unit_price,
        agreed.terms,
        agreed.discount_percent,
        agreed.discount_text,
        agreed.note as note,
        row_number() over (
            partition by listed.card_id, listed.usage_type
            order by agreed.specificity desc
        ) as choice
    from listed
    inner join agreed
        on listed.card_id = agreed.card_id
        and listed.usage_type = coalesce(agreed.usage_type, listed.usage_type)

),

final as (

    select
        {% for column in card_columns -%}
        listed.{{ column }},
        {% endfor -%}
        listed.usage_type,
        listed.list_unit_price,
        case
            when best_agreed.unit_price is not null
                then best_agreed.unit_price
            when best_agreed.discount_percent is not null
                then {{ rounded_unit_price(
                    product('listed.list_unit_price', '(100 - best_agreed.discount_percent)', decimals=20)
                    ~ " * cast('0.01' as " ~ type_decimal(3, 2) ~ ")"
                ) }}
            else listed.list_unit_price
        end as unit_price,
        case
            when best_agreed.unit_price is not null
                then best_agreed.terms
            when best_agreed.discount_percent is not null
                then {{ dbt.concat(['listed.list_terms', "' - '", 'best_agreed.discount_text', "' %'"]) }}
            else listed.list_terms
        end as terms,
        case
            when best_agreed.card_id is not null then 'price_overrides'
            else listed.source
        end as source,
        case when best_agreed.card_id is null then listed.verified_on end as verified_on,
        coalesce(best_agreed.note, listed.note) as note
    from listed
    left join best_agreed
        on listed.card_id = best_agreed.card_id
        and listed.usage_type = best_agreed.usage_type
        and best_agreed.choice = 1

    union all

    select
        {{ card_columns | join(',\n        ') }},
        usage_type,
        coalesce(list_unit_price, unit_price) as list_unit_price,
        unit_price,
        terms,
        'price_overrides' as source,
        cast(null as date) as verified_on,
        note
    from added
    where choice = 1

)

select * from final
