-- Who spends what: the table to put in front of a customer's owner.

{{ config(materialized='view') }}

select
    entity_id as tenant_id,
    usage_date,
    attempts,
    requests,
    retries,
    input_tokens,
    output_tokens,
    attempts_without_cost,
    list_cost_usd,
    cost_usd,
    wasted_cost_usd,
    cost_per_request_usd,
    input_tokens_per_request,
    output_tokens_per_request,
    most_expensive_model,
    share_of_total_ratio,
    spend_rank,
    cost_usd_1_day_before,
    day_over_day_change_ratio,
    cost_usd_7_days_before,
    week_over_week_change_ratio,
    cost_usd_last_7_days,
    cost_usd_last_28_days,
    month_to_date_cost_usd
from {{ ref('entity_daily_spend') }}
where entity_type = 'tenant'
