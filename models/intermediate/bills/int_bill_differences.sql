-- What is billed beside what our calls cost, and what of the difference calls and tokens explain. What our calls paid
-- for searches is held against the bill's other usage, which names no model.

{% set grain = ['provider', 'usage_date_utc', 'charge_kind', 'project_id', 'api_key_id', 'model'] %}

-- A call's cost stays on the day on which it began; one that is booked on the next day moves there by `midnight_usd`.
with costs as (

    select
        usage_date_utc as date_utc,
        provider,
        project_id,
        api_key_id,
        model,
        coalesce(cost_usd, 0) - web_search_cost_usd as token_cost_usd,
        web_search_cost_usd,
        case when booked_date_utc != usage_date_utc then web_search_cost_usd - coalesce(cost_usd, 0) else 0 end
            as midnight_usd
    from {{ ref('int_bill_sides') }}
    where side = 'ours'

    union all

    select
        booked_date_utc as date_utc,
        provider,
        project_id,
        api_key_id,
        model,
        0 as token_cost_usd,
        0 as web_search_cost_usd,
        coalesce(cost_usd, 0) - web_search_cost_usd as midnight_usd
    from {{ ref('int_bill_sides') }}
    where
        side = 'ours'
        and booked_date_utc != usage_date_utc

),

sides as (

    select
        costs.*,
        dimensions.charge_kind,
        case when dimensions.charge_kind = 'tokens' then costs.model else '' end as compared_model,
        case when dimensions.has_projects then costs.project_id end as compared_project_id,
        case when dimensions.has_keys then costs.api_key_id end as compared_key_id
    from costs
    inner join {{ ref('int_bill_dimensions') }} as dimensions
        on costs.provider = dimensions.provider
        and costs.date_utc = dimensions.usage_date_utc
        and dimensions.model = case when dimensions.charge_kind = 'tokens' then costs.model else '' end
    where
        dimensions.charge_kind = 'tokens'
        or costs.web_search_cost_usd != 0

),

measured as (

    select
        provider,
        date_utc as usage_date_utc,
        charge_kind,
        compared_project_id as project_id,
        compared_key_id as api_key_id,
        compared_model as model,
        case when charge_kind = 'tokens' then token_cost_usd else web_search_cost_usd end as our_cost_usd,
        case when charge_kind = 'tokens' then midnight_usd else 0 end as midnight_usd,
        {{ money('0') }} as billed_cost_usd,
        {{ money('0') }} as revised_usd
    from sides

    union all

    select
        amounts.provider as provider,
        amounts.usage_date_utc as usage_date_utc,
        amounts.charge_kind as charge_kind,
        case when coalesce(dimensions.has_projects, true) then amounts.project_id end as project_id,
        case when coalesce(dimensions.has_keys, true) then amounts.api_key_id end as api_key_id,
        amounts.model as model,
        {{ money('0') }} as our_cost_usd,
        {{ money('0') }} as midnight_usd,
        amounts.billed_cost_usd,
        amounts.revised_usd
    from {{ ref('int_bill_amounts') }} as amounts
    left join {{ ref('int_bill_dimensions') }} as dimensions
        on amounts.provider = dimensions.provider
        and amounts.usage_date_utc = dimensions.usage_date_utc
        and amounts.charge_kind = dimensions.charge_kind
        and amounts.model = dimensions.model

),

summed as (

    select
        {{ grain | join(',\n        ') }},
        {{ sum_money('our_cost_usd') }} as our_cost_usd,
        {{ sum_money('midnight_usd') }} as midnight_usd,
        {{ sum_money('billed_cost_usd') }} as billed_cost_usd,
        {{ sum_money('revised_usd') }} as revised_usd
    from measured
    group by {{ grain | join(', ') }}

),

joined as (

    select
        summed.provider as provider,
        summed.usage_date_utc as usage_date_utc,
        summed.charge_kind as charge_kind,
        summed.project_id as project_id,
        summed.api_key_id as api_key_id,
        summed.model as model,
        bill_days.is_final,
        coalesce(causes.our_requests, 0) as our_requests,
        causes.billed_requests,
        summed.our_cost_usd,
        summed.billed_cost_usd,
        summed.midnight_usd,
        summed.revised_usd,
        summed.billed_cost_usd - summed.our_cost_usd as difference_usd,
        coalesce(causes.has_quantities, false) as has_quantities,
        coalesce(causes.lacks_price, true) as lacks_price,
        coalesce(causes.coverage_usd, 0) as calls_usd,
        coalesce(causes.tokens_usd, 0) as tokens_usd
    from summed
    inner join {{ ref('int_bill_days') }} as bill_days
        on summed.provider = bill_days.provider
        and summed.usage_date_utc = bill_days.usage_date_utc
    left join {{ ref('int_bill_causes') }} as causes
        on summed.charge_kind = 'tokens'
        and summed.provider = causes.provider
        and summed.usage_date_utc = causes.usage_date_utc
        and coalesce(summed.project_id, '') = coalesce(causes.project_id, '')
        and coalesce(summed.api_key_id, '') = coalesce(causes.api_key_id, '')
        and summed.model = causes.model

),

judged as (

    select
        *,
        case
            when charge_kind != 'tokens' then 'none'
            when has_quantities and (our_requests > 0 or not lacks_price) then 'quantities'
            when our_requests = 0 or billed_cost_usd = 0 then 'one_side'
            else 'unknown'
        end as cause_basis
    from joined

),

final as (

    select
        provider,
        usage_date_utc,
        charge_kind,
        project_id,
        api_key_id,
        model,
        is_final,
        our_requests,
        billed_requests,
        our_cost_usd,
        billed_cost_usd,
        midnight_usd,
        revised_usd,
        difference_usd,
        cause_basis,
        case cause_basis
            when 'quantities' then calls_usd
            when 'one_side' then difference_usd - midnight_usd
            else 0
        end as coverage_usd,
        case cause_basis when 'quantities' then tokens_usd else 0 end as tokens_usd
    from judged

)

select * from final
