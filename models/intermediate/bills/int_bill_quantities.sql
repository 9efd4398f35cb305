-- Calls and tokens, ours against the provider's. Service tiers are compared apart unless one side files under one tier
-- what the other files under another.

{% set cell = ['provider', 'usage_date_utc', 'project_id', 'api_key_id', 'model', 'service_tier'] %}

with placed as (

    select
        sides.*,
        dimensions.usage_date_utc as compared_date_utc,
        case when dimensions.has_projects then sides.project_id end as compared_project_id,
        case when dimensions.has_keys then sides.api_key_id end as compared_key_id,
        case when sides.side = 'theirs' then 1 else -1 end as direction,
        {{ each_name(bill_usage_types(), 'coalesce(sides.<name>_quantity, 0)', ' + ') }} as tokens,
        max(case when sides.side = 'theirs' and sides.requests is not null then 1 else 0 end) over (
            partition by sides.provider, sides.booked_date_utc
        ) = 1 as counts_requests
    from {{ ref('int_bill_sides') }} as sides
    inner join {{ ref('int_bill_dimensions') }} as dimensions
        on sides.provider = dimensions.provider
        and sides.booked_date_utc = dimensions.usage_date_utc
        and sides.model = dimensions.model
        and dimensions.charge_kind = 'tokens'

),

tiers as (

    select
        provider,
        compared_date_utc,
        compared_project_id,
        compared_key_id,
        model,
        service_tier,
        sum(direction * case when counts_requests then coalesce(requests, 0) else tokens end) as surplus
    from placed
    group by provider, compared_date_utc, compared_project_id, compared_key_id, model, service_tier

),

swapped_tiers as (

    select
        provider,
        compared_date_utc,
        compared_project_id,
        compared_key_id,
        model
    from tiers
    group by provider, compared_date_utc, compared_project_id, compared_key_id, model
    having
        max(surplus) > 0
        and min(surplus) < 0

),

compared as (

    select
        placed.side,
        placed.provider as provider,
        placed.compared_date_utc as usage_date_utc,
        placed.compared_project_id as project_id,
        placed.compared_key_id as api_key_id,
        placed.model as model,
        case when swapped_tiers.provider is null then placed.service_tier else 'all' end as service_tier,
        placed.requests,
        placed.counts_requests,
        {{ each_name(bill_usage_types(), 'placed.<name>_quantity') }},
        {{ each_name(bill_usage_types(), 'placed.<name>_unit_price') }}
    from placed
    left join swapped_tiers
        on placed.provider = swapped_tiers.provider
        and placed.compared_date_utc = swapped_tiers.compared_date_utc
        and coalesce(placed.compared_project_id, '') = coalesce(swapped_tiers.compared_project_id, '')
        and coalesce(placed.compared_key_id, '') = coalesce(swapped_tiers.compared_key_id, '')
        and placed.model = swapped_tiers.model

),

listed as (

    select
        {{ cell | join(',\n        ') }},
        'requests' as usage_type,
        side,
        case when counts_requests or side = 'ours' then requests end as quantity,
        cast(null as {{ type_unit_price() }}) as unit_price
    from compared
    {%- for usage_type in bill_usage_types() %}

    union all

    select
        {{ cell | join(',\n        ') }},
        '{{ usage_type }}' as usage_type,
        side,
        {{ usage_type }}_quantity as quantity,
        {{ usage_type }}_unit_price as unit_price
    from compared
    where {{ usage_type }}_quantity != 0
    {%- endfor %}

),

summed as (

    select
        {{ cell | join(',\n        ') }},
        usage_type,
        coalesce({{ sum_count("case when side = 'ours' then quantity end") }}, 0) as our_quantity,
        {{ sum_count("case when side = 'theirs' then quantity end") }} as billed_quantity,
        {{ sum_money("case when side = 'ours' then " ~ product('quantity', 'unit_price') ~ " end") }} as our_cost_usd,
        -- at our prices, where all of it has one
        case
            when max(case when side = 'theirs' and unit_price is null then 1 else 0 end) = 0
                then {{ sum_money("case when side = 'theirs' then " ~ product('quantity', 'unit_price') ~ " end") }}
        end as card_cost_usd
    from listed
    group by {{ cell | join(', ') }}, usage_type

),

final as (

    select
        {{ cell | join(',\n        ') }},
        usage_type,
        our_quantity,
        billed_quantity,
        our_cost_usd,
        case
            when usage_type = 'requests' then null
            -- at the average price of ours, which knows context steps, hours and discounts
            when our_quantity > 0 and our_cost_usd is not null
                then {{ derived_usd(
                    '(coalesce(billed_quantity, 0) - our_quantity) * ' ~ ratio('our_cost_usd', 'our_quantity')
                ) }}
            when our_quantity > 0 then null
            else card_cost_usd
        end as change_usd
    from summed

)

select * from final
