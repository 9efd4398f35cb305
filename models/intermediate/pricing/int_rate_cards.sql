-- An attempt joins exactly one card: service tier, speed, region, day, weekday, minute of the day and input tokens
-- choose it. A context tier holds for the whole request, output included.

{% set keys = [
    'provider_id', 'model_id', 'service_tier', 'speed', 'region', 'min_input_tokens', 'valid_from', 'valid_to',
    'clock_from_minute', 'clock_to_minute', 'weekdays',
] %}

with pivoted as (

    select
        card_id,
        {{ keys | join(',\n        ') }},
        {{ each_usage_type([
            "cast(max(case when usage_type = '<type>' then unit_price end) as " ~ type_unit_price() ~ ")"
            ~ " as <type>_unit_price",
            "cast(max(case when usage_type = '<type>' then list_unit_price end) as " ~ type_unit_price() ~ ")"
            ~ " as list_<type>_unit_price",
            "max(case when usage_type = '<type>' then terms end) as <type>_terms",
        ]) }},
        max(unit_price) = 0 as is_free,
        max(case when unit_price != list_unit_price then 1 else 0 end) = 1 as is_negotiated
    from {{ ref('int_unit_prices') }}
    group by card_id, {{ keys | join(', ') }}

),

final as (

    select
        {{ key_hash(keys | reject('equalto', 'valid_to') | list + each_usage_type(['<type>_terms'], ' ').split()) }}
            as price_id,
        card_id,
        {{ keys | join(',\n        ') }},
        coalesce(
            {{ row_after('min_input_tokens') }} over (
                partition by
                    provider_id, model_id, service_tier, speed, region, valid_from, valid_to,
                    clock_from_minute, clock_to_minute, weekdays
                order by min_input_tokens
            ) - 1,
            9223372036854775807
        ) as max_input_tokens,
        {{ each_usage_type(['<type>_unit_price', 'list_<type>_unit_price']) }},
        is_free,
        is_negotiated
    from pivoted

)

select * from final
