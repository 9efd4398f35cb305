-- Of the difference between the bill and our calls, what calls and tokens do not explain is the price. Three things are
-- only a matter of time: a call that began before midnight and ended after it may stand in the next day's bill, a final
-- bill may be changed all the same, and what a bill lacks that is not final may still come.

{% set series %}partition by provider, charge_kind, project_id, api_key_id, model order by usage_date_utc{% endset %}

with neighbours as (

    select
        *,
        {{ row_before('usage_date_utc') }} over ({{ series }}) as date_before,
        {{ row_before('past_midnight_usd') }} over ({{ series }}) as past_midnight_usd_before,
        {{ row_before('coverage_usd') }} over ({{ series }}) as coverage_usd_before,
        {{ row_after('usage_date_utc') }} over ({{ series }}) as date_after,
        {{ row_after('coverage_usd') }} over ({{ series }}) as coverage_usd_after
    from {{ ref('int_bill_differences') }}

),

shifted as (

    select
        *,
        case
            when date_after = {{ add_days('usage_date_utc', 1) }} and coverage_usd < 0 and coverage_usd_after > 0
                then least(past_midnight_usd, -coverage_usd, coverage_usd_after)
            else 0
        end as to_next_day_usd,
        case
            when date_before = {{ add_days('usage_date_utc', -1) }} and coverage_usd > 0 and coverage_usd_before < 0
                then least(past_midnight_usd_before, coverage_usd, -coverage_usd_before)
            else 0
        end as from_day_before_usd
    from neighbours

),

priced as (

    select
        *,
        from_day_before_usd - to_next_day_usd as midnight_usd,
        coverage_usd + to_next_day_usd - from_day_before_usd as calls_usd,
        case
            when cause_basis in ('quantities', 'one_side') then difference_usd - coverage_usd - tokens_usd
            else 0
        end as rest_usd
    from shifted

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
        {{ money('case when not is_final and calls_usd < 0 then 0 else calls_usd end') }} as coverage_usd,
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
            + case when not is_final and calls_usd < 0 then calls_usd else 0 end
            + case when not is_final and tokens_usd < 0 then tokens_usd else 0 end
            + case when not is_final and rest_usd < 0 then rest_usd else late_usd end
            + case when not is_final and charge_kind = 'other_usage' and difference_usd < 0 then difference_usd else 0 end"
        ) }} as timing_usd,
        {{ money("case when cause_basis = 'unknown' then difference_usd else 0 end") }} as unexplained_usd
    from revised

)

select * from final
