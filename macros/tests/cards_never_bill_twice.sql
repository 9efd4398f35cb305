{#- Fails with pairs of rate cards that could both bill one call: equal in what they are for, and overlapping in days,
    minutes, weekdays and input tokens. -#}
{% test cards_never_bill_twice(model) %}
select
    one.price_id as one_price_id,
    another.price_id as another_price_id
from {{ model }} as one
inner join {{ model }} as another
    on one.price_id < another.price_id
    and one.provider_id = another.provider_id
    and one.model_id = another.model_id
    and one.service_tier = another.service_tier
    and one.speed = another.speed
    and one.region = another.region
    {%- for from, to in [('valid_from', 'valid_to'), ('clock_from_minute', 'clock_to_minute')] %}
    and one.{{ from }} < another.{{ to }}
    and another.{{ from }} < one.{{ to }}
    {%- endfor %}
    and one.min_input_tokens <= another.max_input_tokens
    and another.min_input_tokens <= one.max_input_tokens
where
    {%- for weekday in range(1, 8) %}
    {{ 'or ' if not loop.first }}substring(one.weekdays, {{ weekday }}, 1) = '1' and substring(another.weekdays, {{ weekday }}, 1) = '1'
    {%- endfor %}
{% endtest %}
