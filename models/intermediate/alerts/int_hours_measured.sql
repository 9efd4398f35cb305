-- What an hour cost, and how many requests it had, against the hours of the seven complete days before it, or against
-- the same hour of the last four weeks where that usually has more. Only an entity that some hour cost enough for a
-- rule has hours here, and only such an hour has a baseline: whatever the others are compared with, they are no
-- incident.

{{ config(materialized='table') }}

-- A quarter is looked back on, and needs four weeks before it.
{% set judged_days, baseline_days = 92, 28 %}
-- Fewer hours than a day's worth have no typical one.
{% set min_baseline_hours, min_like_hours = 24, 3 %}
{% set days_new = 14 %}
{% set of = {'total': "'total'", 'endpoint': 'endpoint_tag', 'tenant': 'tenant_id', 'workflow': 'workflow_id'} %}
{% set measures = {'hourly_cost': 'hour_cost', 'hourly_requests': 'requests'} %}
{% set entity = 'metric, entity_type, entity_id' %}
{% set hour = 'metric, entity_type, entity_id, usage_hour' %}

with spend as (

    select * from {{ ref('fct_hourly_spend') }}
    where
        is_in_scope
        and {{ since_days_ago('usage_date', judged_days + baseline_days) }}
        and {{ add_hours('usage_hour', 1) }} <= {{ in_reporting_timezone(as_of()) }}

),

hours as (

    {% for entity_type, column in of.items() -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        usage_hour,
        usage_date,
        extract(hour from usage_hour) as hour_of_day,
        case when {{ weekday_number('usage_date') }} >= 5 then 1 else 0 end as is_weekend,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_count('requests') }} as requests,
        {{ sum_money('cost_usd') }} as hour_cost
    from spend
    {% if entity_type != 'total' -%}
    where {{ column }} != {{ unattributed() }}
    {% endif -%}
    group by {{ column ~ ', ' if entity_type != 'total' }}usage_hour, usage_date
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

series as (

    {% for metric, measure in measures.items() -%}
    select
        '{{ metric }}' as metric,
        {{ columns_of('hours', [
            'entity_type', 'entity_id', 'usage_hour', 'usage_date', 'hour_of_day', 'is_weekend', 'attempts',
            'hour_cost',
        ]) }},
        cast(hours.{{ measure }} as {{ type_money() }}) as hour_value
    from hours
    where entity_type in {{ sql_list(alert_metrics()[metric].of) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

rules as (

    select
        rules.metric as rule_metric,
        min(least(rules.min_dollars, coalesce(overrides.min_dollars, rules.min_dollars))) as min_dollars
    from {{ ref('stg_config__alert_rules') }} as rules
    left join {{ ref('stg_config__alert_rule_overrides') }} as overrides
        on rules.rule_id = overrides.rule_id
    where rules.metric in {{ sql_list(measures.keys() | list) }}
    group by rules.metric

),

firsts as (

    select
        {{ entity }},
        min(usage_date) as first_date
    from series
    group by {{ entity }}

),

dear_hours as (

    select
        {{ columns_of('series', [
            'metric', 'entity_type', 'entity_id', 'usage_hour', 'usage_date', 'hour_of_day', 'is_weekend',
        ]) }},
        {{ add_days('firsts.first_date', days_new) }} <= series.usage_date as is_settled
    from series
    inner join firsts
        on series.metric = firsts.metric
        and series.entity_type = firsts.entity_type
        and series.entity_id = firsts.entity_id
    inner join rules
        on series.metric = rules.rule_metric
    where
        series.hour_cost >= rules.min_dollars
        and series.usage_date >= {{ add_days(as_of_date(), -1 * judged_days) }}

),

dear_days as (

    select distinct
        {{ entity }},
        usage_date
    from dear_hours
    where is_settled

),

-- Hours without any call are no hours of work, and would pull the median of a small user to zero.
last_week as (

    select
        dear_days.metric as metric,
        dear_days.entity_type as entity_type,
        dear_days.entity_id as entity_id,
        dear_days.usage_date as usage_date,
        series.usage_hour as usage_hour,
        series.hour_value as hour_value,
        row_number() over (
            partition by dear_days.metric, dear_days.entity_type, dear_days.entity_id, dear_days.usage_date
            order by series.hour_value, series.usage_hour
        ) as value_rank,
        count(*) over (
            partition by dear_days.metric, dear_days.entity_type, dear_days.entity_id, dear_days.usage_date
        ) as baseline_hours
    from dear_days
    inner join series
        on dear_days.metric = series.metric
        and dear_days.entity_type = series.entity_type
        and dear_days.entity_id = series.entity_id
        and {{ add_days('dear_days.usage_date', -7) }} <= series.usage_date
        and dear_days.usage_date > series.usage_date
        and series.hour_value > 0

),

-- Dear hours are usual too: the one that 5 % of the hours exceed tells how far hours stray from the middle one.
weeks as (

    select
        {{ entity }},
        usage_date,
        max(case when {{ is_discrete_median('value_rank', 'baseline_hours') }} then hour_value end) as median_value,
        min(case when value_rank * 100 >= baseline_hours * 95 then hour_value end)
        - max(case when {{ is_discrete_median('value_rank', 'baseline_hours') }} then hour_value end) as spread_value
    from last_week
    where baseline_hours >= {{ min_baseline_hours }}
    group by {{ entity }}, usage_date

),

-- The same hour of weekdays, or of weekends.
like_hours as (

    select
        dear_hours.metric as metric,
        dear_hours.entity_type as entity_type,
        dear_hours.entity_id as entity_id,
        dear_hours.usage_hour as usage_hour,
        series.hour_value as hour_value,
        row_number() over (
            partition by dear_hours.metric, dear_hours.entity_type, dear_hours.entity_id, dear_hours.usage_hour
            order by series.hour_value, series.usage_hour
        ) as value_rank,
        count(*) over (
            partition by dear_hours.metric, dear_hours.entity_type, dear_hours.entity_id, dear_hours.usage_hour
        ) as baseline_hours
    from dear_hours
    inner join series
        on dear_hours.metric = series.metric
        and dear_hours.entity_type = series.entity_type
        and dear_hours.entity_id = series.entity_id
        and dear_hours.hour_of_day = series.hour_of_day
        and dear_hours.is_weekend = series.is_weekend
        and {{ add_days('dear_hours.usage_date', -1 * baseline_days) }} <= series.usage_date
        and dear_hours.usage_date > series.usage_date
        and series.hour_value > 0

),

like_medians as (

    select
        {{ hour }},
        hour_value as median_value
    from like_hours
    where
        {{ is_discrete_median('value_rank', 'baseline_hours') }}
        and baseline_hours >= {{ min_like_hours }}

),

watched as (

    select distinct {{ entity }}
    from dear_hours

),

-- An hour in which others were logged and the entity was not is an hour without cost, and resolves.
logged_hours as (

    select
        watched.metric,
        watched.entity_type,
        watched.entity_id,
        hours.usage_hour,
        hours.usage_date
    from watched
    cross join hours
    where
        hours.entity_type = 'total'
        and hours.usage_date >= {{ add_days(as_of_date(), -1 * judged_days) }}

),

compared as (

    select
        logged_hours.metric as metric,
        logged_hours.entity_type as entity_type,
        logged_hours.entity_id as entity_id,
        logged_hours.usage_hour as usage_hour,
        coalesce(series.hour_value, 0) as hour_value,
        coalesce(series.hour_cost, 0) as hour_cost,
        coalesce(series.attempts, 0) as samples,
        case
            when like_medians.median_value > weeks.median_value then like_medians.median_value
            else weeks.median_value
        end as usual_value,
        weeks.spread_value
    from logged_hours
    left join series
        on logged_hours.metric = series.metric
        and logged_hours.entity_type = series.entity_type
        and logged_hours.entity_id = series.entity_id
        and logged_hours.usage_hour = series.usage_hour
    left join dear_hours
        on logged_hours.metric = dear_hours.metric
        and logged_hours.entity_type = dear_hours.entity_type
        and logged_hours.entity_id = dear_hours.entity_id
        and logged_hours.usage_hour = dear_hours.usage_hour
    left join weeks
        on dear_hours.metric = weeks.metric
        and dear_hours.entity_type = weeks.entity_type
        and dear_hours.entity_id = weeks.entity_id
        and dear_hours.usage_date = weeks.usage_date
    left join like_medians
        on dear_hours.metric = like_medians.metric
        and dear_hours.entity_type = like_medians.entity_type
        and dear_hours.entity_id = like_medians.entity_id
        and dear_hours.usage_hour = like_medians.usage_hour

),

final as (

    select
        metric,
        entity_type,
        entity_id,
        'hourly' as period_type,
        usage_hour as period_start,
        {{ add_hours('usage_hour', 1) }} as period_end,
        cast(hour_value as {{ type_ratio() }}) as metric_value,
        cast(usual_value as {{ type_ratio() }}) as baseline,
        cast(spread_value as {{ type_ratio() }}) as spread,
        samples,
        case
            when metric = 'hourly_cost' then {{ money('hour_cost - coalesce(usual_value, 0)') }}
            when usual_value > hour_value then {{ money('0') }}
            else {{ derived_usd('hour_cost * (1 - coalesce(' ~ ratio('usual_value', 'hour_value') ~ ', 0))') }}
        end as dollars
    from compared

)

select * from final
