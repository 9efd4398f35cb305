-- How each budget stands in each of its periods, and where the running one will end at the pace of the last seven days.

with budgets as (

    select * from {{ ref('stg_config__budgets') }}

),

scopes as (

    select distinct
        scope_type,
        scope_id
    from budgets

),

spend as (

    select
        entities.entity_type,
        entities.entity_id,
        entities.usage_date,
        {{ sum_money('entities.cost_usd') }} as cost_usd
    from {{ ref('entity_daily_spend') }} as entities
    inner join scopes
        on entities.entity_type = scopes.scope_type
        and entities.entity_id = scopes.scope_id
    group by entities.entity_type, entities.entity_id, entities.usage_date

),

days as (

    select dim_dates.*
    from {{ ref('dim_dates') }} as dim_dates
    where
        dim_dates.date_day >= coalesce(
            (select min(entities.usage_date) from {{ ref('entity_daily_spend') }} as entities), {{ as_of_date() }}
        )
        and dim_dates.date_day <= {{ as_of_date() }}

),

periods as (

    select distinct
        'daily' as period,
        date_day as period_start_date,
        {{ add_days('date_day', 1) }} as period_end_date
    from days
    union all
    select distinct
        'weekly' as period,
        week_start_date as period_start_date,
        next_week_start_date as period_end_date
    from days
    union all
    select distinct
        'monthly' as period,
        month_start_date as period_start_date,
        next_month_start_date as period_end_date
    from days

),

-- Where an amount changed inside a period, the later one holds for all of it.
budgeted as (

    select
        budgets.*,
        periods.period_start_date,
        periods.period_end_date,
        row_number() over (
            partition by budgets.scope_type, budgets.scope_id, budgets.period, periods.period_start_date
            order by budgets.valid_from desc, budgets.amount_usd asc
        ) as amount_rank
    from budgets
    inner join periods
        on budgets.period = periods.period
        and budgets.valid_from < periods.period_end_date
        and budgets.valid_to > periods.period_start_date

),

spent as (

    select
        budgeted.scope_type,
        budgeted.scope_id,
        budgeted.period,
        budgeted.period_start_date,
        budgeted.period_end_date,
        budgeted.owner,
        budgeted.amount_usd,
        budgeted.warning_ratio,
        {{ sum_money('coalesce(spend.cost_usd, 0)') }} as spent_usd,
        {{ sum_money('case when spend.usage_date < ' ~ as_of_date() ~ ' then spend.cost_usd else 0 end') }}
            as spent_on_complete_days_usd
    from budgeted
    left join spend
        on budgeted.scope_type = spend.entity_type
        and budgeted.scope_id = spend.entity_id
        and budgeted.period_start_date <= spend.usage_date
        and budgeted.period_end_date > spend.usage_date
    where budgeted.amount_rank = 1
    group by
        budgeted.scope_type,
        budgeted.scope_id,
        budgeted.period,
        budgeted.period_start_date,
        budgeted.period_end_date,
        budgeted.owner,
        budgeted.amount_usd,
        budgeted.warning_ratio

),

last_week as (

    select
        entity_type,
        entity_id,
        {{ sum_money('cost_usd') }} as cost_usd
    from spend
    where
        usage_date >= {{ add_days(as_of_date(), -7) }}
        and usage_date < {{ as_of_date() }}
    group by entity_type, entity_id

),

paced as (

    select
        spent.*,
        spent.period_end_date > {{ as_of_date() }} as is_current,
        {{ days_between(as_of_date(), 'spent.period_end_date') }}
            as days_left,
        {{ ratio('coalesce(last_week.cost_usd, 0)', '7') }} as cost_per_day
    from spent
    left join last_week
        on spent.scope_type = last_week.entity_type
        and spent.scope_id = last_week.entity_id

),

projected as (

    select
        *,
        case
            when is_current
                then greatest(spent_usd, {{ derived_usd('spent_on_complete_days_usd + days_left * cost_per_day') }})
            else spent_usd
        end as projected_usd
    from paced

),

final as (

    select
        scope_type,
        scope_id,
        period,
        period_start_date,
        period_end_date,
        is_current,
        owner,
        amount_usd,
        warning_ratio,
        spent_usd,
        {{ money('amount_usd - spent_usd') }} as left_usd,
        projected_usd,
        {{ ratio('spent_usd', 'amount_usd') }} as spent_share_ratio,
        case
            when spent_usd > amount_usd then 'exceeded'
            when projected_usd > amount_usd then 'forecast_exceeded'
            when {{ ratio('spent_usd', 'amount_usd') }} >= warning_ratio then 'warning'
            else 'ok'
        end as status
    from projected

)

select * from final
