-- Of the difference between the bill and our calls, what calls and tokens do not explain is the price. Three things
-- are only a matter of time: a call that began before midnight and ended after it may stand in the next day's bill, a
-- final bill may be changed all the same, and what a bill lacks that is not final may still come.

with priced as (

    select
        *,
        case
            when cause_basis in ('quantities', 'one_side')
                then difference_usd - midnight_usd - coverage_usd - tokens_usd
            else 0
        end as rest_usd
    from {{ ref('int_bill_differences') }}

),

revised as (

    select
        *,
        case
            when rest_usd > 0 and revised_usd > 0 then least(rest_usd, revised_usd)
            when rest_usd < 0 and revised_usd < 0 then greatest(rest_usd, revised_usd)
            else 0
        end as late_usd
    from priced

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
        {{ money('difference_usd') }} as difference_usd,
        {{ money('case when not is_final and coverage_usd < 0 then 0 else coverage_usd end') }} as coverage_usd,
        {{ money('case when not is_final and tokens_usd < 0 then 0 else tokens_usd end') }} as tokens_usd,
        {{ money('case when not is_final and rest_usd < 0 then 0 else rest_usd - late_usd end') }} as price_usd,
        {{ money(
            "case
                when charge_kind != 'other_usage' or (not is_final and difference_usd < 0) then 0
                else difference_usd
            end"
        ) }} as non_token_usd,
        {{ money("case when charge_kind = 'fixed' then difference_usd else 0 end") }} as fixed_usd,
        {{ money(
            "midnight_usd
            + case when charge_kind = 'adjustment' then difference_usd else 0 end
            + case when not is_final and coverage_usd < 0 then coverage_usd else 0 end
            + case when not is_final and tokens_usd < 0 then tokens_usd else 0 end
            + case when not is_final and rest_usd < 0 then rest_usd else late_usd end
            + case
                when not is_final and charge_kind = 'other_usage' and difference_usd < 0 then difference_usd
                else 0
            end"
        ) }} as timing_usd,
        {{ money("case when cause_basis = 'unknown' then difference_usd - midnight_usd else 0 end") }}
            as unexplained_usd
    from revised

)

select * from final
