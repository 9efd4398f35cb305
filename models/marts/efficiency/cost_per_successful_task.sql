-- The one number to publish: what a success cost in a week, failures and retries paid with it, and whether that falls.

with spend as (

    select
        spend.*,
        dates.week_start_date
    from {{ ref('fct_daily_spend') }} as spend
    inner join {{ ref('dim_dates') }} as dates
        on spend.usage_date = dates.date_day
    where spend.is_in_scope

),

entities as (

    {% for entity_type, column in {
        'total': "'total'", 'endpoint': 'endpoint_tag', 'workflow': 'workflow_id', 'feature': 'feature_name',
    }.items() -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        week_start_date,
        {{ sum_count('requests') }} as requests,
        {{ sum_count('judged_tasks') }} as judged_tasks,
        {{ sum_count('successful_tasks') }} as successful_tasks,
        {{ sum_count('attempts_without_cost') }} as attempts_without_cost,
        {{ sum_money('cost_usd') }} as cost_usd
    from spend
    group by {{ column ~ ', ' if entity_type != 'total' }}week_start_date
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        this_week.entity_type,
        this_week.entity_id,
        this_week.week_start_date,
        {{ add_days('this_week.week_start_date', 7) }} <= {{ as_of_date() }} as is_complete,
        this_week.requests,
        this_week.successful_tasks,
        this_week.judged_tasks,
        this_week.attempts_without_cost,
        this_week.cost_usd,
        {{ derived_usd(ratio('this_week.cost_usd', 'this_week.successful_tasks')) }} as cost_per_success_usd,
        {{ derived_usd(ratio('week_before.cost_usd', 'week_before.successful_tasks')) }}
            as cost_per_success_week_before_usd,
        {{ ratio(
            ratio('this_week.cost_usd', 'this_week.successful_tasks'),
            ratio('week_before.cost_usd', 'week_before.successful_tasks')
        ) }} - 1 as week_over_week_change_ratio
    from entities as this_week
    left join entities as week_before
        on this_week.entity_type = week_before.entity_type
        and this_week.entity_id = week_before.entity_id
        and this_week.week_start_date = {{ add_days('week_before.week_start_date', 7) }}

)

select * from final
