-- Every acceptable raw row is a delivery of an attempt: nothing falls out between landing and the attempts. Attempts
-- whose raw rows are gone may count more.

-- Dagster shows a test of several models as a check of the one named here.
{{ config(meta={'dagster': {'ref': {'name': 'fct_llm_attempts'}}}) }}

with totals as (

    select
        (
            select count(*)
            from {{ ref('stg_app__usage_events') }}
            where quarantine_reason is null
        ) as acceptable_rows,
        (select coalesce(sum(deliveries), 0) from {{ ref('fct_llm_attempts') }}) as deliveries

)

select * from totals
where deliveries < acceptable_rows
