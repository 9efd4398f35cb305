-- The drivers of an entity add up to its change, the entities of a type to the change of the whole, and that to what the
-- days of both periods cost.

-- Dagster shows a test of several models as a check of the one named here.
{{ config(meta={'dagster': {'ref': {'name': 'spend_change_drivers'}}}) }}

with entities as (

    select
        period_type,
        period_start,
        entity_type,
        entity_id,
        sum(cost_change_usd) as explained_usd,
        max(total_change_usd) as total_change_usd
    from {{ ref('spend_change_drivers') }}
    group by period_type, period_start, entity_type, entity_id

),

wholes as (

    select
        period_type,
        period_start,
        entity_type,
        sum(explained_usd) as explained_usd
    from entities
    group by period_type, period_start, entity_type

),

changes as (

    select
        periods.period_type as period_type,
        periods.period_start as period_start,
        sum(case when periods.side = 'after' then spend.cost_usd else -spend.cost_usd end) as change_usd
    from {{ ref('int_periods_compared') }} as periods
    inner join {{ ref('fct_daily_spend') }} as spend
        on periods.usage_date = spend.usage_date
    where spend.is_in_scope
    group by periods.period_type, periods.period_start

)

select
    period_type,
    period_start,
    entity_type,
    entity_id,
    explained_usd,
    total_change_usd as expected_usd
from entities
where explained_usd != total_change_usd

union all

select
    changes.period_type as period_type,
    changes.period_start as period_start,
    wholes.entity_type,
    null as entity_id,
    wholes.explained_usd,
    changes.change_usd as expected_usd
from changes
left join wholes
    on changes.period_type = wholes.period_type
    and changes.period_start = wholes.period_start
where coalesce(wholes.explained_usd, 0) != changes.change_usd
