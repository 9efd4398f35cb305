-- What each tenant did in a month with each provider: all that margins and shares are made of, from one look at the
-- roll-up.

{{ config(materialized='table') }}

select
    dates.month_start_date as usage_month,
    spend.tenant_id,
    spend.provider,
    min(spend.usage_date) as first_usage_date,
    {{ sum_count('spend.requests') }} as requests,
    {{ sum_count('spend.attempts_without_cost') }} as attempts_without_cost,
    {{ sum_count('spend.input_tokens + spend.output_tokens') }} as total_tokens,
    {{ sum_money('spend.cost_usd') }} as cost_usd,
    {{ sum_money('spend.wasted_cost_usd') }} as wasted_cost_usd
from {{ ref('fct_daily_spend') }} as spend
inner join {{ ref('dim_dates') }} as dates
    on spend.usage_date = dates.date_day
where spend.is_in_scope
group by
    dates.month_start_date,
    spend.tenant_id,
    spend.provider
