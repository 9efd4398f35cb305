-- The cost of one call: quantity times unit price for each usage type, as of the moment of the call. Unknown is not zero:
-- see cost_status.

{% set usage_types = usage_types() %}
{% set cost_source = cost_source() %}
{% set cost_columns = [] %}
{% set list_costs = [] %}
{% for usage_type in usage_types -%}
    {% do cost_columns.append(usage_type ~ '_cost_usd') -%}
    {% do list_costs.append(money('coalesce(' ~ usage_type ~ '_quantity * list_' ~ usage_type ~ '_unit_price, 0)')) -%}
{% endfor %}

with attempts as (

    select
        *,
        lower(coalesce(speed, '')) as logged_speed,
        lower(coalesce(region, '')) as logged_region,
        extract(hour from started_at) * 60 + extract(minute from started_at) as clock_minute
    from {{ ref('int_attempts_sequenced') }}

),

carded as (

    select
        attempts.*,
        models.priced_provider_id,
        models.priced_model_id,
        cards.priced_service_tier,
        cards.price_id,
        cards.is_negotiated,
        {%- for usage_type in usage_types %}
        cards.{{ usage_type }}_unit_price,
        cards.list_{{ usage_type }}_unit_price{{ ',' if not loop.last }}
        {%- endfor %}
    from attempts
    left join {{ ref('int_models_resolved') }} as models
        on attempts.provider = models.provider
        and attempts.model = models.model
    left join {{ ref('int_rate_cards_referenced') }} as cards
        on attempts.provider = cards.provider
        and attempts.model = cards.model
        and attempts.service_tier = cards.service_tier
        and attempts.logged_speed = cards.speed
        and attempts.logged_region = cards.region
        and attempts.usage_date_utc >= cards.valid_from
        and attempts.usage_date_utc < cards.valid_to
        and attempts.clock_minute >= cards.clock_from_minute
        and attempts.clock_minute < cards.clock_to_minute
        and {{ is_weekday_in('attempts.usage_date_utc', 'cards.weekdays') }}
        and coalesce(attempts.input_tokens, 0) between cards.min_input_tokens and cards.max_input_tokens

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
                coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + characters_quantity + messages_quantity
                + audio_seconds_quantity + input_audio_seconds_quantity + output_audio_seconds_quantity
                + pages_quantity + annotated_pages_quantity + web_search_quantity + storage_search_quantity = 0
                -- the breakdown that the prices need was not logged
                or input_quantity < 0
                or output_quantity < 0
                {%- for modality in ['audio', 'image'] %}
                or (
                    cached_{{ modality }}_unit_price is not null
                    and cached_{{ modality }}_tokens is null
                    and cached_input_tokens > 0
                    and input_{{ modality }}_tokens > 0
                )
                {%- endfor %}
                then 'usage_missing'
            when
                (input_tokens is null and input_unit_price is not null)
                or (status = 'success' and output_tokens is null and output_unit_price is not null)
                -- a card by the hour, page or character does not bill tokens
                or (
                    coalesce(input_unit_price, output_unit_price) is not null
                    and ((input_quantity > 0 and input_unit_price is null) or (output_quantity > 0 and output_unit_price is null))
                )
                {%- for usage_type, about in usage_types.items() if not about.wholes and about.noun != 'tokens' and usage_type != 'request' %}
                or ({{ usage_type }}_quantity > 0 and {{ usage_type }}_unit_price is null)
                {%- endfor %}
                then 'partial'
            else 'priced'
        end as calculated_status
    from quantities

),

sourced as (

    select
        *,
        case
            {%- if cost_source == 'auto' %}
            when calculated_status in ('unpriced', 'usage_missing') and reported_cost_usd is not null
                then 'provider_reported'
            {%- elif cost_source == 'reported' %}
            when reported_cost_usd is not null
                then 'provider_reported'
            when calculated_status != 'not_billed'
                then 'unpriced'
            {%- endif %}
            when true
                then calculated_status
        end as cost_status
    from judged

),

costed as (

    select
        *,
        {%- for usage_type in usage_types %}
        {{ usage_cost(usage_type) }} as {{ usage_type }}_cost_usd{{ ',' if not loop.last }}
        {%- endfor %}
    from sourced

),

summed as (

    select
        *,
        case
            when cost_status = 'provider_reported'
                then {{ money('reported_cost_usd') }}
            when cost_status in ('priced', 'partial', 'not_billed')
                then {{ money(cost_columns | join('\n                    + ')) }}
        end as cost_usd
    from costed

),

final as (

    select
        *,
        case when cost_status = 'provider_reported' then 'reported' else 'calculated' end as cost_source,
        case
            when calculated_status in ('priced', 'partial') and (is_negotiated or cost_status != calculated_status)
                then {{ money(list_costs | join('\n                    + ')) }}
            when calculated_status not in ('unpriced', 'usage_missing')
                then coalesce(cost_usd, 0)
        end as list_cost_usd
    from summed

)

select * from final
