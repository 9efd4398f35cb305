-- An attempt joins exactly one card: service tier, day, minute of the day and input tokens choose it. A context tier
-- holds for the whole request, output included.

{% set usage_types = ['input', 'cached_input', 'cache_write', 'cache_write_1h', 'output', 'reasoning'] %}

with pivoted as (

    select
        provider_id,
        model_id,
        service_tier,
        case
            when context_above_tokens = 0 or is_context_inclusive then context_above_tokens
            else context_above_tokens + 1
        end as min_input_tokens,
        valid_from,
        valid_to,
        clock_from_minute,
        clock_to_minute,
        {%- for usage_type in usage_types %}
        max(case when usage_type = '{{ usage_type }}' then unit_price end) as {{ usage_type }}_unit_price,
        max(case when usage_type = '{{ usage_type }}' then price_text end) as {{ usage_type }}_price_text,
        {%- endfor %}
        max(unit_price) = 0 as is_free,
        max(case when usage_type in ('request', 'messages') then unit_price else 0 end) > 0 as has_request_fee
    from {{ ref('stg_prices__model_prices') }}
    group by 1, 2, 3, 4, 5, 6, 7, 8

),

final as (

    select
        {{ key_hash(
            ['provider_id', 'model_id', 'service_tier', 'min_input_tokens', 'valid_from', 'valid_to', 'clock_from_minute',
             'clock_to_minute', 'input_price_text', 'cached_input_price_text', 'cache_write_price_text',
             'cache_write_1h_price_text', 'output_price_text', 'reasoning_price_text']
        ) }} as price_id,
        provider_id,
        model_id,
        service_tier,
        min_input_tokens,
        coalesce(
            lead(min_input_tokens) over (
                partition by
                    provider_id, model_id, service_tier, valid_from, valid_to, clock_from_minute, clock_to_minute
                order by min_input_tokens
            ) - 1,
            9223372036854775807
        ) as max_input_tokens,
        valid_from,
        valid_to,
        clock_from_minute,
        clock_to_minute,
        {%- for usage_type in usage_types %}
        cast({{ usage_type }}_unit_price as {{ type_unit_price() }}) as {{ usage_type }}_unit_price,
        {%- endfor %}
        is_free,
        has_request_fee
    from pivoted

)

select * from final
