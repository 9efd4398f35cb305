-- Every acceptable raw row is a delivery of an attempt, or of one that another log has too: nothing falls out between landing and the attempts. Attempts
-- whose raw rows are gone may count more.

-- Dagster shows a test of several models as a check of the one named here.
{{ config(meta={'dagster': {'ref': {'name': 'fct_llm_attempts'}}}) }}

with totals as (

    select
        (
            select count(*)
            from {{ ref('int_usage_events_judged') }}
            where quarantine_reason is null
        ) as acceptable_rows,
        (select coalesce(sum(deliveries), 0) from {{ ref('fct_llm_attempts') }})
        + (select coalesce(sum(deliveries), 0) from {{ ref('merged_calls') }}) as deliveries

)

select * from totals
where deliveries < acceptable_rows
