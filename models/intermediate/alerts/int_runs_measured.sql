-- The dearest run of a workflow so far, hour by hour, against the dearest that it usually has. A run of an agent
-- outside any workflow counts for the agent. A day of a workflow on which all runs together cost too little for any
-- rule is not read.

{{ config(materialized='table') }}

{% set judged_days = 92 %}
{% set run = 'entity_type, entity_id, source, run_id, usage_date' %}

with rules as (

    select min(least(rules.threshold, coalesce(overrides.threshold, rules.threshold))) as threshold
    from {{ ref('stg_config__alert_rules') }} as rules
    left join {{ ref('stg_config__alert_rule_overrides') }} as overrides
        on rules.rule_id = overrides.rule_id
    where rules.metric = 'run_cost'

),

spend as (

    select
        usage_date,
        workflow_id,
        agent_id,
        {{ sum_money('cost_usd') }} as cost_usd
    from {{ ref('fct_daily_spend') }}
    where
        is_in_scope
        and {{ since_days_ago('usage_date', judged_days) }}
        and (workflow_id != {{ unattributed() }} or agent_id != {{ unattributed() }})
    group by usage_date, workflow_id, agent_id

),

dear_days as (

    select
        spend.usage_date as usage_date,
        spend.workflow_id as workflow_id,
        spend.agent_id as agent_id
    from spend
    cross join rules
    where spend.cost_usd > rules.threshold

),

hours as (

    select
        case when attempts.workflow_id = {{ unattributed() }} then 'agent' else 'workflow' end as entity_type,
        case when attempts.workflow_id = {{ unattributed() }} then attempts.agent_id else attempts.workflow_id end
            as entity_id,
        attempts.workflow_id as workflow_id,
        attempts.source,
        attempts.run_id,
        attempts.usage_date as usage_date,
        attempts.usage_hour,
        cast(count(*) as {{ dbt.type_bigint() }}) as calls,
        {{ sum_money('coalesce(attempts.cost_usd, 0)') }} as hour_cost
    from {{ ref('fct_llm_attempts') }} as attempts
    inner join dear_days
        on attempts.usage_date = dear_days.usage_date
        and attempts.workflow_id = dear_days.workflow_id
        and attempts.agent_id = dear_days.agent_id
    where
        attempts.is_in_scope
        and attempts.run_id is not null
        and {{ since_days_ago('attempts.usage_date_utc', judged_days) }}
        and {{ add_hours('attempts.usage_hour', 1) }} <= {{ in_reporting_timezone(as_of()) }}
    group by
        attempts.workflow_id, attempts.agent_id, attempts.source, attempts.run_id, attempts.usage_date,
        attempts.usage_hour

),

summed as (

    select
        *,
        {{ money('sum(hour_cost) over (
            partition by ' ~ run ~ ' order by usage_hour rows between unbounded preceding and current row
        )') }} as run_cost,
        cast(sum(calls) over (
            partition by {{ run }} order by usage_hour rows between unbounded preceding and current row
        ) as {{ dbt.type_bigint() }}) as run_calls
    from hours

),

ranked as (

    select
        *,
        row_number() over (
            partition by entity_type, entity_id, usage_hour order by run_cost desc, source asc, run_id asc
        ) as run_rank
    from summed

),

dearest as (

    select * from ranked
    where run_rank = 1

),

usual as (

    select
        dearest.entity_type,
        dearest.entity_id,
        dearest.usage_hour,
        max(weeks.p99_run_cost_usd) as p99_cost
    from dearest
    inner join {{ ref('workflow_run_costs') }} as weeks
        on dearest.workflow_id = weeks.workflow_id
        and {{ add_days('dearest.usage_date', -35) }} <= weeks.week_start_date
        and {{ add_days('dearest.usage_date', -7) }} >= weeks.week_start_date
    group by dearest.entity_type, dearest.entity_id, dearest.usage_hour

),

final as (

    select
        'run_cost' as metric,
        dearest.entity_type as entity_type,
        dearest.entity_id as entity_id,
        'hourly' as period_type,
        dearest.usage_hour as period_start,
        {{ add_hours('dearest.usage_hour', 1) }} as period_end,
        cast(dearest.run_cost as {{ type_ratio() }}) as metric_value,
        cast(usual.p99_cost as {{ type_ratio() }}) as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        dearest.run_calls as samples,
        {{ money('least(dearest.hour_cost, greatest(0, dearest.run_cost - coalesce(usual.p99_cost, 0)))') }} as dollars
    from dearest
    left join usual
        on dearest.entity_type = usual.entity_type
        and dearest.entity_id = usual.entity_id
        and dearest.usage_hour = usual.usage_hour

)

select * from final
