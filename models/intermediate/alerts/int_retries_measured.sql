-- An endpoint's attempts per request against the median of its own 28 days before.

-- A week of days is the least that shows a weekday rhythm.
{% set min_baseline_days = 7 %}

with days as (

    select * from {{ ref('retry_multipliers') }}
    where
        entity_type = 'endpoint'
        and requests > 0
        and usage_date < {{ as_of_date() }}

),

ranked as (

    select
        days.entity_id,
        days.usage_date,
        earlier.retry_multiplier_ratio as retry_multiplier_ratio,
        row_number() over (
            partition by days.entity_id, days.usage_date
            order by earlier.retry_multiplier_ratio, earlier.usage_date
        ) as multiplier_rank,
        count(*) over (partition by days.entity_id, days.usage_date) as baseline_days
    from days
    inner join days as earlier
        on days.entity_id = earlier.entity_id
        and {{ add_days('days.usage_date', -28) }} <= earlier.usage_date
        and days.usage_date > earlier.usage_date

),

medians as (

    select
        entity_id,
        usage_date,
        retry_multiplier_ratio
    from ranked
    where
        {{ is_discrete_median('multiplier_rank', 'baseline_days') }}
        and baseline_days >= {{ min_baseline_days }}

),

final as (

    select
        'retry_multiplier' as metric,
        days.entity_type,
        days.entity_id,
        'daily' as period_type,
        cast(days.usage_date as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('days.usage_date', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        days.retry_multiplier_ratio as metric_value,
        medians.retry_multiplier_ratio as baseline,
        days.requests as samples,
        days.wasted_cost_usd as dollars
    from days
    left join medians
        on days.entity_id = medians.entity_id
        and days.usage_date = medians.usage_date

)

select * from final
