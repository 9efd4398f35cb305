-- Every dollar and attempt of the last 28 whole days stands under one model of one endpoint.

-- Dagster shows a test of several models as a check of the one named here.
{{ config(meta={'dagster': {'ref': {'name': 'model_tradeoffs'}}}) }}

with listed as (

    select
        coalesce(sum(cost_usd), 0) as cost_usd,
        coalesce(sum(attempts), 0) as attempts
    from {{ ref('model_tradeoffs') }}

),

spent as (

    select
        coalesce(sum(cost_usd), 0) as cost_usd,
        coalesce(sum(attempts), 0) as attempts
    from {{ ref('fct_daily_spend') }}
    where
        is_in_scope
        and usage_date >= {{ add_days(as_of_date(), -28) }}
        and usage_date < {{ as_of_date() }}

)

select
    listed.cost_usd,
    spent.cost_usd as expected_cost_usd
from listed
cross join spent
where
    listed.cost_usd != spent.cost_usd
    or listed.attempts != spent.attempts
