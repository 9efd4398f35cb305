-- What the bill above does not contain: calls whose cost is unknown, by the name the log gave the model. And what a
-- person needs to price them: known models of a like name, and the lines to add to price_overrides.csv.

with carded as (

    select
        attempts.*,
        {{ each_usage_type(['cards.<type>_unit_price']) }},
        coalesce(cards.input_unit_price, cards.output_unit_price) is not null or cards.price_id is null
            as is_billed_by_tokens
    from {{ ref('fct_llm_attempts') }} as attempts
    left join {{ ref('int_rate_cards') }} as cards
        on attempts.price_id = cards.price_id
    where attempts.cost_status in ('unpriced', 'usage_missing', 'partial')

),
{{ billed_quantities('carded') }},

unknown_usage as (

    select
        provider,
        model,
        cost_status,
        is_in_scope,
        {%- for usage_type in quoted_usage_types() %}
        max(
            case
                when
                    cost_status != 'usage_missing'
                    and {{ usage_type }}_quantity > 0
                    and {{ usage_type }}_unit_price is null
                    {{ 'and is_billed_by_tokens' if usage_type in ['input', 'output'] }}
                    then 1
                else 0
            end
        ) = 1 as lacks_{{ usage_type }},
        {%- endfor %}
        coalesce(max(priced_provider_id), nullif(provider, {{ unattributed() }}), '<provider>') as override_provider_id,
        coalesce(max(priced_model_id), model) as override_model_id,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
        {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
        min(started_at) as first_started_at,
        max(started_at) as last_started_at,
        {{ sum_money('coalesce(cost_usd, 0)') }} as known_cost_usd,
        {{ sum_money('coalesce(reported_cost_usd, 0)') }} as reported_cost_usd
    from quantities
    group by provider, model, cost_status, is_in_scope

),

final as (

    select
        unknown_usage.provider,
        unknown_usage.model,
        unknown_usage.cost_status,
        unknown_usage.is_in_scope,
        unknown_usage.attempts,
        unknown_usage.input_tokens,
        unknown_usage.output_tokens,
        unknown_usage.first_started_at,
        unknown_usage.last_started_at,
        unknown_usage.known_cost_usd,
        unknown_usage.reported_cost_usd,
        nearest.nearest_models,
        {{ price_override_rows('unknown_usage.override_provider_id', 'unknown_usage.override_model_id') }}
            as price_override_rows
    from unknown_usage
    left join {{ ref('int_unknown_models_compared') }} as nearest
        on unknown_usage.provider = nearest.provider
        and unknown_usage.model = nearest.model

)

select * from final
