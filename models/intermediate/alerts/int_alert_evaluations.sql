-- Each rule on each complete period. Too little data is neither firing nor ok: it opens nothing and resolves nothing.
-- An amount is known however few calls it has, so a small one is ok.

{{ config(materialized='table') }}

-- A median absolute deviation of nearly nothing is luck: days differ from each other by a twentieth at least.
{% set least_spread = '0.05' %}
{% set drift_periods = 28 %}
-- One dear day is no drift.
{% set most_of_a_period = '0.5' %}
{% set series = 'rule_id, entity_type, entity_id, period_type' %}

with rules as (

    select * from {{ ref('stg_config__alert_rules') }}

),

overrides as (

    select * from {{ ref('stg_config__alert_rule_overrides') }}

),

metrics as (

    select
        *,
        case
            when spread >= {{ least_spread }} * baseline then spread
            else {{ least_spread }} * baseline
        end as usual_spread
    from {{ ref('int_alert_metrics') }}

),

limited as (

    select
        {{ columns_of('rules', ['rule_id', 'kind', 'metric']) }},
        metrics.entity_type as entity_type,
        metrics.entity_id as entity_id,
        metrics.period_type,
        metrics.period_start,
        metrics.period_end,
        metrics.metric_value,
        metrics.baseline,
        metrics.samples,
        coalesce(metrics.dollars, 0) as dollars,
        coalesce(overrides.threshold, rules.threshold) as threshold,
        rules.min_deviations * metrics.usual_spread as allowance,
        coalesce(overrides.min_dollars, rules.min_dollars) as min_dollars,
        coalesce(overrides.min_samples, rules.min_samples) as min_samples,
        coalesce(overrides.severity, rules.severity) as severity
    from rules
    inner join metrics
        on rules.metric = metrics.metric
        and (rules.entity_type is null or rules.entity_type = metrics.entity_type)
    left join overrides
        on rules.rule_id = overrides.rule_id
        and metrics.entity_type = overrides.entity_type
        and metrics.entity_id = overrides.entity_id
    where coalesce(overrides.is_enabled, true)

),

-- A drift is no large deviation but many small ones: what lies beyond the allowance, summed up.
summed as (

    select
        {{ series }},
        period_start,
        sum(
            {{ derived_usd('least(metric_value - baseline - allowance, ' ~ most_of_a_period ~ ' * baseline)') }}
        ) over (
            partition by {{ series }} order by period_start rows between unbounded preceding and current row
        ) as running_sum
    from limited
    where
        kind = 'drift'
        and baseline is not null
        and metric_value is not null

),

drifts as (

    select
        {{ series }},
        period_start,
        running_sum - min(running_sum) over (
            partition by {{ series }} order by period_start
            rows between {{ drift_periods }} preceding and current row
        ) as drift
    from summed

),

judged as (

    select
        {{ columns_of('limited', [
            'rule_id', 'kind', 'metric', 'entity_type', 'entity_id', 'period_type', 'period_start', 'period_end',
            'metric_value', 'baseline', 'samples', 'dollars', 'min_dollars', 'min_samples', 'severity',
        ]) }},
        case limited.kind
            when 'above'
                then greatest(limited.threshold, coalesce(limited.baseline, limited.threshold))
            when 'below' then limited.threshold
            when 'deviates'
                then greatest(limited.threshold * limited.baseline, limited.baseline + limited.allowance)
            -- the value at which today's sum would be so many days of the baseline; a day back at the usual is no drift
            when 'drift'
                then
                    greatest(
                        limited.metric_value - drifts.drift + limited.threshold * limited.baseline,
                        limited.baseline + limited.allowance
                    )
            else limited.threshold * limited.baseline
        end as limit_value
    from limited
    left join drifts
        on limited.rule_id = drifts.rule_id
        and limited.entity_type = drifts.entity_type
        and limited.entity_id = drifts.entity_id
        and limited.period_type = drifts.period_type
        and limited.period_start = drifts.period_start

),

compared as (

    select
        *,
        case
            when kind in ('below', 'below_baseline') then metric_value < limit_value
            when kind = 'reaches_baseline' then metric_value >= limit_value
            else metric_value > limit_value
        end as is_beyond
    from judged

),

final as (

    select
        rule_id,
        metric,
        entity_type,
        entity_id,
        period_type,
        period_start,
        period_end,
        metric_value,
        baseline,
        limit_value,
        samples,
        {{ money('dollars') }} as dollars,
        case
            when metric_value is null then 'no_data'
            when metric in {{ sql_list(amount_metrics()) }} and (dollars < min_dollars or not is_beyond) then 'ok'
            when limit_value is null or samples < min_samples then 'insufficient_data'
            when dollars >= min_dollars and is_beyond then 'firing'
            else 'ok'
        end as state,
        severity
    from compared

)

select * from final
