-- The question marts and out_of_scope_spend together hold every dollar and every attempt, once.

-- Dagster shows a test of several models as a check of the one named here.
{{ config(meta={'dagster': {'ref': {'name': 'fct_llm_attempts'}}}) }}

with totals as (

    select
        (select coalesce(sum(cost_usd), 0) from {{ ref('fct_llm_attempts') }}) as all_usd,
        (select coalesce(sum(cost_usd), 0) from {{ ref('tenant_daily_spend') }}) as in_scope_usd,
        (select coalesce(sum(cost_usd), 0) from {{ ref('out_of_scope_spend') }}) as out_of_scope_usd,
        (select count(*) from {{ ref('fct_llm_attempts') }}) as all_attempts,
        (select coalesce(sum(attempts), 0) from {{ ref('tenant_daily_spend') }}) as in_scope_attempts,
        (select coalesce(sum(attempts), 0) from {{ ref('out_of_scope_spend') }}) as out_of_scope_attempts

)

select * from totals
where
    all_usd != in_scope_usd + out_of_scope_usd
    or all_attempts != in_scope_attempts + out_of_scope_attempts
