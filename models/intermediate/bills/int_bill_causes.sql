-- Calls that one side did not see add tokens of every type or take some of every type. Where the provider counted as
-- many calls as we did, or some tokens more and others less, the tokens are counted otherwise.

with cells as (

    select
        provider,
        usage_date_utc,
        project_id,
        api_key_id,
        model,
        service_tier,
        {{ sum_count("case when usage_type = 'requests' then our_quantity end") }} as our_requests,
        {{ sum_count("case when usage_type = 'requests' then billed_quantity end") }} as billed_requests,
        {{ sum_money('our_cost_usd') }} as our_cost_usd,
        {{ sum_money('change_usd') }} as change_usd,
        max(case when billed_quantity is null then 0 else 1 end) as has_quantities,
        max(case when usage_type != 'requests' and change_usd is null then 1 else 0 end) as lacks_price,
        max(case when usage_type != 'requests' and coalesce(billed_quantity, 0) > our_quantity then 1 else 0 end)
            as has_more,
        max(case when usage_type != 'requests' and coalesce(billed_quantity, 0) < our_quantity then 1 else 0 end)
            as has_less,
        max(case when usage_type = 'output' and coalesce(billed_quantity, 0) != our_quantity then 1 else 0 end)
            as has_other_output
    from {{ ref('int_bill_quantities') }}
    group by provider, usage_date_utc, project_id, api_key_id, model, service_tier

),

judged as (

    select
        *,
        coalesce(billed_requests, 0) - our_requests as more_requests,
        case
            when our_requests = 0 or has_more + has_less = 0 then 'calls'
            when has_more > has_less and billed_requests > our_requests then 'calls'
            when has_more < has_less and billed_requests < our_requests then 'calls'
            when has_more != has_less and billed_requests is null and has_other_output = 1 then 'calls'
            when billed_requests != our_requests then 'both'
            else 'tokens'
        end as cause
    from cells

),

-- of both, calls are worth what the provider's or else our calls are on average
valued as (

    select
        *,
        case
            when cause = 'calls' then coalesce(change_usd, 0)
            when cause = 'tokens' then 0
            when more_requests > 0
                then {{ derived_usd(
                    'more_requests * ' ~ ratio('coalesce(our_cost_usd, 0) + coalesce(change_usd, 0)', 'billed_requests')
                ) }}
            else {{ derived_usd('more_requests * ' ~ ratio('coalesce(our_cost_usd, 0)', 'our_requests')) }}
        end as calls_usd
    from judged

),

final as (

    select
        provider,
        usage_date_utc,
        project_id,
        api_key_id,
        model,
        {{ sum_count('our_requests') }} as our_requests,
        {{ sum_count('billed_requests') }} as billed_requests,
        max(has_quantities) = 1 as has_quantities,
        max(lacks_price) = 1 as lacks_price,
        {{ sum_money('calls_usd') }} as coverage_usd,
        {{ sum_money('coalesce(change_usd, 0) - calls_usd') }} as tokens_usd
    from valued
    group by provider, usage_date_utc, project_id, api_key_id, model

)

select * from final
