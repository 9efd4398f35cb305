-- From evaluations to incidents: N firing periods in a row open one, K ok periods in a row resolve it. Periods with too
-- little data are passed over, so silence never resolves anything.

{{ config(materialized='table') }}

{% set series %}rule_id, entity_type, entity_id, period_type{% endset %}

with judged as (

    select
        {{ columns_of('evaluations', [
            'rule_id', 'metric', 'entity_type', 'entity_id', 'period_type', 'period_start', 'period_end', 'metric_value',
            'dollars', 'severity', 'state',
        ]) }},
        rules.periods_to_open,
        rules.periods_to_resolve,
        row_number() over (
            partition by
                evaluations.rule_id, evaluations.entity_type, evaluations.entity_id, evaluations.period_type
            order by evaluations.period_start
        ) as ordinal
    from {{ ref('int_alert_evaluations') }} as evaluations
    inner join {{ ref('stg_config__alert_rules') }} as rules
        on evaluations.rule_id = rules.rule_id
    where evaluations.state in ('firing', 'ok')

),

streaks as (

    select
        *,
        ordinal - coalesce(max(case when state = 'ok' then ordinal end) over (
            partition by {{ series }} order by ordinal rows between unbounded preceding and current row
        ), 0) as firing_streak,
        ordinal - coalesce(max(case when state = 'firing' then ordinal end) over (
            partition by {{ series }} order by ordinal rows between unbounded preceding and current row
        ), 0) as ok_streak
    from judged

),

-- The last signal holds until the next: it is carried in the parity of one running maximum.
carried as (

    select
        *,
        mod(coalesce(max(
            case
                when firing_streak >= periods_to_open then ordinal * 2 + 1
                when ok_streak >= periods_to_resolve then ordinal * 2
            end
        ) over (
            partition by {{ series }} order by ordinal rows between unbounded preceding and current row
        ), 0), 2) as is_open
    from streaks

),

followed as (

    select
        *,
        coalesce({{ row_before('is_open') }} over (partition by {{ series }} order by ordinal), 0) as was_open
    from carried

),

numbered as (

    select
        *,
        sum(case when is_open = 1 and was_open = 0 then 1 else 0 end) over (
            partition by {{ series }} order by ordinal rows between unbounded preceding and current row
        ) as incident_number
    from followed

),

incidents as (

    select
        rule_id,
        severity,
        metric,
        entity_type,
        entity_id,
        period_type,
        incident_number,
        min(case when is_open = 1 and was_open = 0 then period_start end) as opening_period_start,
        min(case when is_open = 1 and was_open = 0 then period_end end) as opening_period_end,
        min(case when is_open = 1 then period_start end) as window_start,
        max(case when is_open = 1 and state = 'firing' then period_end end) as window_end,
        min(case when is_open = 0 and was_open = 1 then period_end end) as resolving_period_end,
        max(case when is_open = 1 and state = 'firing' then metric_value end) as observed_value,
        {{ sum_money("case when is_open = 1 and state = 'firing' then dollars else 0 end") }} as impact_usd
    from numbered
    where is_open = 1 or was_open = 1
    group by rule_id, severity, metric, entity_type, entity_id, period_type, incident_number

),

final as (

    select
        {{ key_hash([
            'rule_id', 'entity_type', 'entity_id', 'period_type', 'cast(opening_period_start as date)',
            'extract(hour from opening_period_start)',
        ]) }} as alert_id,
        {{ key_hash(['rule_id', 'entity_type', 'entity_id', 'period_type']) }} as fingerprint,
        *,
        case
            when {{ add_hours('opening_period_start', 24) }} < opening_period_end
                then {{ add_hours('opening_period_end', -24) }}
            else opening_period_start
        end as judged_from,
        case when {{ add_hours('opening_period_start', 1) }} = opening_period_end then 24 else 1 end as periods_per_day,
        case
            when entity_type in {{ sql_list(caller_columns().keys() | list) }} then 1
            when period_type like 'weekly%' or period_type like 'monthly%' then 7
            else 1
        end as judged_days
    from incidents

)

select * from final
