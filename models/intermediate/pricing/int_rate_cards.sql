-- An attempt joins exactly one card: service tier, speed, region, day, weekday, minute of the day and input tokens choose
-- it. A context tier holds for the whole request, output included.

{% set keys = [
    'provider_id', 'model_id', 'service_tier', 'speed', 'region', 'min_input_tokens', 'valid_from', 'valid_to',
    'clock_from_minute', 'clock_to_minute', 'weekdays',
] %}
{% set usage_types = usage_types().keys() | list %}

with pivoted as (

    select
        card_id,
        {{ keys | join(',\n        ') }},
        {%- for usage_type in usage_types %}
        max(case when usage_type = '{{ usage_type }}' then unit_price end) as {{ usage_type }}_unit_price,
        max(case when usage_type = '{{ usage_type }}' then list_unit_price end) as list_{{ usage_type }}_unit_price,
        max(case when usage_type = '{{ usage_type }}' then terms end) as {{ usage_type }}_terms,
        {%- endfor %}
        max(unit_price) = 0 as is_free,
        max(case when unit_price != list_unit_price then 1 else 0 end) = 1 as is_negotiated
    from {{ ref('int_unit_prices') }}
    group by card_id, {{ keys | join(', ') }}

),

{% set terms = [] -%}
{% for usage_type in usage_types %}{% do terms.append(usage_type ~ '_terms') %}{% endfor -%}

final as (

    select
        {{ key_hash(keys + terms) }} as price_id,
        card_id,
        {{ keys | join(',\n        ') }},
        coalesce(
            lead(min_input_tokens) over (
                partition by
                    provider_id, model_id, service_tier, speed, region, valid_from, valid_to,
                    clock_from_minute, clock_to_minute, weekdays
                order by min_input_tokens
            ) - 1,
            9223372036854775807
        ) as max_input_tokens,
        {%- for usage_type in usage_types %}
        {{ usage_type }}_unit_price,
        list_{{ usage_type }}_unit_price,
        {%- endfor %}
        is_free,
        is_negotiated
    from pivoted

)

select * from final
