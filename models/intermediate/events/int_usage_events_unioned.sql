-- Every source's acceptable rows under one column list.

select * from {{ ref('stg_app__usage_events') }}
where quarantine_reason is null
