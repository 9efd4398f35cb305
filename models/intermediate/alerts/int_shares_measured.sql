-- How much larger a part of the whole an endpoint, a tenant or a user became: its share of the last seven days less its
-- share of the 28 before. Who never had much of it is not looked at.

{{ config(materialized='table') }}

{% set least_share = '0.05' %}
{% set days_new = 14 %}
{% set first_day = "cast('2020-01-01' as date)" %}
{% set of = alert_metrics()['cost_share_gain'].of %}
{% set sums = {
    'week_usd': 'range between 6 preceding and current row',
    'before_usd': 'range between 34 preceding and 7 preceding',
} %}

with totals as (

    select
        usage_date,
        cost_usd as all_usd,
        {%- for name, days in sums.items() %}
        {{ money('sum(cost_usd) over (order by ' ~ days_between(first_day, 'usage_date') ~ ' ' ~ days ~ ')') }}
            as all_{{ name }},
        {%- endfor %}
        min(usage_date) over () as first_date
    from {{ ref('entity_daily_spend') }}
    where entity_type = 'total'

),

-- A sum of seven days tells who ever had a share worth a look, without a sum over everybody.
large as (

    select distinct
        entities.entity_type as entity_type,
        entities.entity_id as entity_id
    from {{ ref('entity_daily_spend') }} as entities
    inner join totals
        on entities.usage_date = totals.usage_date
    where
        entities.entity_type in {{ sql_list(of) }}
        and entities.entity_id != {{ unattributed() }}
        and entities.cost_usd_last_7_days >= {{ least_share }} * totals.all_week_usd

),

entities as (

    select
        large.entity_type as entity_type,
        large.entity_id as entity_id,
        each_day.usage_date as usage_date,
        {{ sum_count('each_day.requests') }} as requests,
        {{ sum_money('each_day.cost_usd') }} as day_usd
    from {{ ref('entity_daily_spend') }} as each_day
    inner join large
        on each_day.entity_type = large.entity_type
        and each_day.entity_id = large.entity_id
    where each_day.usage_date < {{ as_of_date() }}
    group by large.entity_type, large.entity_id, each_day.usage_date

),

summed as (

    select
        *,
        {%- for name, days in sums.items() %}
        {{ money(
            'sum(day_usd) over (partition by entity_type, entity_id order by '
            ~ days_between(first_day, 'usage_date') ~ ' ' ~ days ~ ')'
        ) }} as {{ name }},
        {%- endfor %}
        min(usage_date) over (partition by entity_type, entity_id) as first_date
    from entities

),

-- What is new, or known for too short, has no share before.
shared as (

    select
        summed.entity_type,
        summed.entity_id,
        summed.usage_date as usage_date,
        summed.requests,
        summed.day_usd,
        totals.all_usd,
        {{ ratio('summed.week_usd', 'totals.all_week_usd') }} as share_now,
        case
            when
                {{ add_days('summed.first_date', days_new + 7) }} <= summed.usage_date
                and {{ add_days('totals.first_date', days_new + 7) }} <= summed.usage_date
                then {{ ratio('summed.before_usd', 'totals.all_before_usd') }}
        end as share_before
    from summed
    inner join totals
        on summed.usage_date = totals.usage_date

),

final as (

    select
        'cost_share_gain' as metric,
        entity_type,
        entity_id,
        'daily' as period_type,
        cast(usage_date as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('usage_date', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        share_now - coalesce(share_before, share_now) as metric_value,
        cast(null as {{ type_ratio() }}) as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        case when share_before is null then 0 else requests end as samples,
        {{ derived_usd('day_usd - coalesce(share_before, 1) * all_usd') }} as dollars
    from shared

)

select * from final
