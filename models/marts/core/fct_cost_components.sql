-- The bill of each call, line by line: the quantities and unit prices that its cost is made of.

with carded as (

    select
        attempts.*,
        {{ each_usage_type(['cards.<type>_unit_price', 'cards.list_<type>_unit_price']) }}
    from {{ ref('fct_llm_attempts') }} as attempts
    left join {{ ref('int_rate_cards') }} as cards
        on attempts.price_id = cards.price_id

),
{{ billed_quantities('carded') }},

priced as (

    select
        quantities.*,
        prices.usage_type,
        prices.list_unit_price,
        prices.unit_price,
        case prices.usage_type
            {{ each_usage_type(["when '<type>' then <type>_quantity"], '\n            ') }}
        end as quantity
    from quantities
    inner join {{ ref('dim_model_prices') }} as prices
        on quantities.price_id = prices.price_id
    where quantities.cost_status in ('priced', 'partial')

),

final as (

    select
        source,
        event_id,
        usage_date_utc,
        price_id,
        usage_type,
        cast(quantity as {{ dbt.type_bigint() }}) as quantity,
        list_unit_price,
        unit_price,
        {{ money(product('quantity', 'list_unit_price')) }} as list_cost_usd,
        {{ money(product('quantity', 'unit_price')) }} as cost_usd
    from priced
    where quantity > 0

    union all

    select
        source,
        event_id,
        usage_date_utc,
        price_id,
        'reported' as usage_type,
        cast(1 as {{ dbt.type_bigint() }}) as quantity,
        cast(null as {{ type_unit_price() }}) as list_unit_price,
        cast(null as {{ type_unit_price() }}) as unit_price,
        list_cost_usd,
        cost_usd
    from {{ ref('fct_llm_attempts') }}
    where cost_status = 'provider_reported'

)

select * from final
