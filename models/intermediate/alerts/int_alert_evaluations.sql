-- Each rule on each complete period. Too little data is neither firing nor ok: it opens nothing and resolves nothing.

{{ config(materialized=shared_step()) }}

with rules as (

    select * from {{ ref('stg_config__alert_rules') }}

),

metrics as (

    select * from {{ ref('int_alert_metrics') }}

),

limited as (

    select
        rules.rule_id,
        rules.kind,
        rules.min_samples,
        rules.min_dollars,
        metrics.metric as metric,
        metrics.entity_type as entity_type,
        metrics.entity_id,
        metrics.period_type,
        metrics.period_start,
        metrics.period_end,
        metrics.metric_value,
        metrics.baseline,
        metrics.samples,
        coalesce(metrics.dollars, 0) as dollars,
        case
            when rules.kind = 'above' then rules.threshold
            else rules.threshold * metrics.baseline
        end as limit_value
    from rules
    inner join metrics
        on rules.metric = metrics.metric
        and (rules.entity_type is null or rules.entity_type = metrics.entity_type)

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
            when metric_value is null or limit_value is null or samples < min_samples then 'insufficient_data'
            when
                dollars >= min_dollars
                and (metric_value > limit_value or (kind = 'reaches_baseline' and metric_value = limit_value))
                then 'firing'
            else 'ok'
        end as state
    from limited

)

select * from final
