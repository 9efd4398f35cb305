-- Who spends what: the table to put in front of a customer's owner.

with spend as (

    select * from {{ ref('entity_daily_spend') }}
    where entity_type = 'tenant'

),

spend_by_model as (

    select
        tenant_id,
        usage_date,
        model,
        row_number() over (partition by tenant_id, usage_date order by sum(cost_usd) desc, model asc) as model_rank
    from {{ ref('fct_daily_spend') }}
    where is_in_scope
    group by tenant_id, usage_date, model

),

final as (

    select
        spend.entity_id as tenant_id,
        spend.usage_date,
        spend.attempts,
        spend.requests,
        spend.retries,
        spend.input_tokens,
        spend.output_tokens,
        spend.attempts_without_cost,
        spend.list_cost_usd,
        spend.cost_usd,
        spend.wasted_cost_usd,
        {{ derived_usd(ratio('spend.cost_usd', 'spend.requests')) }} as cost_per_request_usd,
        spend.share_of_total_ratio,
        spend.spend_rank,
        spend.cost_usd_7_days_before,
        spend.week_over_week_change_ratio,
        spend_by_model.model as most_expensive_model
    from spend
    inner join spend_by_model
        on spend.entity_id = spend_by_model.tenant_id
        and spend.usage_date = spend_by_model.usage_date
        and spend_by_model.model_rank = 1

)

select * from final
