-- Written last: the days of a run that did not come this far are written again by the next one.

-- depends_on: {{ ref('fct_llm_requests') }}
-- depends_on: {{ ref('fct_daily_spend') }}
-- depends_on: {{ ref('fct_daily_requests') }}
-- depends_on: {{ ref('fct_hourly_spend') }}
-- depends_on: {{ ref('entity_daily_spend') }}
-- depends_on: {{ ref('focus_cost_and_usage') }}
-- depends_on: {{ ref('fct_daily_calls') }}
-- depends_on: {{ ref('fct_daily_checks') }}
-- depends_on: {{ ref('price_restatements') }}

select distinct run_id
from {{ ref('int_touched_days') }}
