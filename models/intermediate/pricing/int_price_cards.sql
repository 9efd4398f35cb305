-- When one set of prices holds for whom. A card of the price list is cut at every day on which an agreed price, a
-- multiplier or an exchange rate changes, so that each card has one price per usage type.

{% set card_columns = [
    'provider_id', 'model_id', 'service_tier', 'list_speed', 'min_input_tokens', 'list_valid_from', 'list_valid_to',
    'clock_from_minute', 'clock_to_minute', 'weekdays', 'is_own_model',
] %}
{% set card = card_columns | join(', ') %}
{% set dated_columns = card_columns + ['valid_from', 'valid_to'] %}

with list_cards as (

    select distinct
        provider_id,
        model_id,
        service_tier,
        speed as list_speed,
        min_input_tokens,
        valid_from as list_valid_from,
        valid_to as list_valid_to,
        clock_from_minute,
        clock_to_minute,
        weekdays,
        false as is_own_model
    from {{ ref('stg_prices__model_prices') }}

),

listed_models as (

    select distinct
        provider_id,
        {{ lower_case('model_id') }} as model_name
    from list_cards

),

price_overrides as (

    select * from {{ ref('stg_config__price_overrides') }}

),

price_multipliers as (

    select * from {{ ref('stg_prices__price_multipliers') }}

),

own_cards as (

    select distinct
        price_overrides.provider_id,
        price_overrides.model_id,
        coalesce(price_overrides.service_tier, 'default') as service_tier,
        '' as list_speed,
        cast(0 as {{ dbt.type_bigint() }}) as min_input_tokens,
        cast('1900-01-01' as {{ type_validity_date() }}) as list_valid_from,
        cast('9999-12-31' as {{ type_validity_date() }}) as list_valid_to,
        0 as clock_from_minute,
        1440 as clock_to_minute,
        '1111111' as weekdays,
        true as is_own_model
    from price_overrides
    left join listed_models
        on price_overrides.provider_id = listed_models.provider_id
        and price_overrides.model_id = listed_models.model_name
    where
        price_overrides.model_id is not null
        and price_overrides.unit_price is not null
        and listed_models.model_name is null

),

cards as (

    select * from list_cards
    union all
    select * from own_cards

),

change_dates as (

    select
        provider_id,
        model_id,
        valid_from as changed_on
    from price_overrides

    union distinct

    select
        provider_id,
        model_id,
        valid_to as changed_on
    from price_overrides

    union distinct

    select
        price_overrides.provider_id,
        price_overrides.model_id,
        fx_rates.valid_from as changed_on
    from price_overrides
    inner join {{ ref('stg_config__fx_rates') }} as fx_rates
        on price_overrides.currency = fx_rates.currency

    union distinct

    select
        provider_id,
        {{ lower_case('model_id') }} as model_id,
        valid_from as changed_on
    from price_multipliers

    union distinct

    select
        provider_id,
        {{ lower_case('model_id') }} as model_id,
        valid_to as changed_on
    from price_multipliers

),

starts as (

    select
        {{ card }},
        list_valid_from as valid_from
    from cards

    union distinct

    select
        {{ columns_of('cards', card_columns) }},
        change_dates.changed_on as valid_from
    from cards
    inner join change_dates
        on cards.provider_id = change_dates.provider_id
        and {{ lower_case('cards.model_id') }} = coalesce(change_dates.model_id, {{ lower_case('cards.model_id') }})
        and cards.list_valid_from < change_dates.changed_on
        and cards.list_valid_to > change_dates.changed_on

),

dated as (

    select
        *,
        coalesce(
            {{ row_after('valid_from') }} over (partition by {{ card }} order by valid_from), list_valid_to
        ) as valid_to
    from starts

),

-- Where the price list itself has a card for the speed, no multiplier makes one.
at_speed as (

    select
        *,
        list_speed as speed
    from dated

    union distinct

    select
        {{ columns_of('dated', dated_columns) }},
        price_multipliers.speed
    from dated
    inner join price_multipliers
        on dated.provider_id = price_multipliers.provider_id
        and {{ lower_case('dated.model_id') }}
        = {{ lower_case('coalesce(price_multipliers.model_id, dated.model_id)') }}
    left join cards as listed_speeds
        on dated.provider_id = listed_speeds.provider_id
        and dated.model_id = listed_speeds.model_id
        and price_multipliers.speed = listed_speeds.list_speed
    where
        dated.list_speed = ''
        and price_multipliers.speed is not null
        and listed_speeds.model_id is null

),

in_region as (

    select
        *,
        '' as region
    from at_speed

    union distinct

    select
        at_speed.*,
        price_multipliers.region
    from at_speed
    inner join price_multipliers
        on at_speed.provider_id = price_multipliers.provider_id
        and {{ lower_case('at_speed.model_id') }}
        = {{ lower_case('coalesce(price_multipliers.model_id, at_speed.model_id)') }}
    where price_multipliers.region is not null

),

keyed as (

    select
        *,
        {{ key_hash(
            ['provider_id', 'model_id', 'service_tier', 'speed', 'region', 'min_input_tokens', 'valid_from',
             'valid_to', 'clock_from_minute', 'clock_to_minute', 'weekdays']
        ) }} as card_id
    from in_region

),

{% for dimension in ['speed', 'region'] %}
{{ dimension }}_multipliers as (

    select
        keyed.card_id,
        price_multipliers.multiplier,
        price_multipliers.multiplier_text,
        row_number() over (
            partition by keyed.card_id
            order by case when price_multipliers.model_id is null then 1 else 0 end, price_multipliers.valid_from
        ) as choice
    from keyed
    inner join price_multipliers
        on keyed.provider_id = price_multipliers.provider_id
        and keyed.{{ dimension }} = price_multipliers.{{ dimension }}
        and {{ lower_case('keyed.model_id') }}
        = {{ lower_case('coalesce(price_multipliers.model_id, keyed.model_id)') }}
        and keyed.valid_from >= price_multipliers.valid_from
        and keyed.valid_from < price_multipliers.valid_to
    {%- if dimension == 'speed' %}
    where keyed.speed != keyed.list_speed
    {%- endif %}

),
{% endfor %}
final as (

    select
        {{ columns_of('keyed', dated_columns + ['speed', 'region', 'card_id']) }},
        cast(
            {{ product('coalesce(speed_multipliers.multiplier, 1)', 'coalesce(region_multipliers.multiplier, 1)') }}
            as {{ type_decimal(18, 12) }}
        ) as multiplier,
        coalesce({{ dbt.concat(["' × '", 'speed_multipliers.multiplier_text']) }}, '') as speed_terms,
        coalesce({{ dbt.concat(["' × '", 'region_multipliers.multiplier_text']) }}, '') as region_terms
    from keyed
    left join speed_multipliers
        on keyed.card_id = speed_multipliers.card_id
        and speed_multipliers.choice = 1
    left join region_multipliers
        on keyed.card_id = region_multipliers.card_id
        and region_multipliers.choice = 1

)

select * from final
