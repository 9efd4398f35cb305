-- Everything a rule can look at, in one form: a value, what it is compared with, how many calls stand behind it and the
-- dollars at stake.

select * from {{ ref('int_budgets_measured') }}
union all
select * from {{ ref('int_hours_measured') }}
union all
select * from {{ ref('int_retries_measured') }}
union all
select * from {{ ref('int_prompt_versions_measured') }}
