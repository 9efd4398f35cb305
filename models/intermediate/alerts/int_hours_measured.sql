-- What an hour cost against the hours of the seven complete days before it, or against the same hour of the last four
-- weeks where that is usually dearer. Only an entity that some hour cost enough for a rule has hours here, and only
-- such an hour has a baseline: whatever the others are compared with, they are no incident.

{{ config(materialized='table') }}

-- A quarter is looked back on, and needs four weeks before it.
{% set judged_days, baseline_days = 92, 28 %}
-- Fewer hours than a day's worth have no typical one.
{% set min_baseline_hours, min_like_hours = 24, 3 %}
{% set days_new = 14 %}
{% set of = {'total': "'total'", 'endpoint': 'endpoint_tag', 'tenant': 'tenant_id', 'workflow': 'workflow_id'} %}
{% set entity = 'entity_type, entity_id' %}
{% set hour = 'entity_type, entity_id, usage_hour' %}

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
        {{ sum_money('cost_usd') }} as hour_cost
    from spend
    {% if entity_type != 'total' -%}
    where {{ column }} != {{ unattributed() }}
    {% endif -%}
    group by {{ column ~ ', ' if entity_type != 'total' }}usage_hour, usage_date
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

rules as (

    select min(least(rules.min_dollars, coalesce(overrides.min_dollars, rules.min_dollars))) as min_dollars
    from {{ ref('stg_config__alert_rules') }} as rules
    left join {{ ref('stg_config__alert_rule_overrides') }} as overrides
        on rules.rule_id = overrides.rule_id
    where rules.metric = 'hourly_cost'

),

firsts as (

    select
        {{ entity }},
        min(usage_date) as first_date
    from hours
    group by {{ entity }}

),

dear_hours as (

    select
        {{ columns_of('hours', [
            'entity_type', 'entity_id', 'usage_hour', 'usage_date', 'hour_of_day', 'is_weekend', 'attempts', 'hour_cost',
        ]) }},
        {{ add_days('firsts.first_date', days_new) }} <= hours.usage_date as is_settled
    from hours
    inner join firsts
        on hours.entity_type = firsts.entity_type
        and hours.entity_id = firsts.entity_id
    cross join rules
    where
        hours.hour_cost >= rules.min_dollars
        and hours.usage_date >= {{ add_days(as_of_date(), -1 * judged_days) }}

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
        dear_days.entity_type,
        dear_days.entity_id,
        dear_days.usage_date,
        hours.usage_hour,
        hours.hour_cost as hour_cost,
        row_number() over (
            partition by dear_days.entity_type, dear_days.entity_id, dear_days.usage_date
            order by hours.hour_cost, hours.usage_hour
        ) as cost_rank,
        count(*) over (
            partition by dear_days.entity_type, dear_days.entity_id, dear_days.usage_date
        ) as baseline_hours
    from dear_days
    inner join hours
        on dear_days.entity_type = hours.entity_type
        and dear_days.entity_id = hours.entity_id
        and {{ add_days('dear_days.usage_date', -7) }} <= hours.usage_date
        and dear_days.usage_date > hours.usage_date
        and hours.hour_cost > 0

),

-- Dear hours are usual too: the one that 5 % of the hours exceed tells how far hours stray from the middle one.
weeks as (

    select
        {{ entity }},
        usage_date,
        max(case when {{ is_discrete_median('cost_rank', 'baseline_hours') }} then hour_cost end) as median_cost,
        min(case when cost_rank * 100 >= baseline_hours * 95 then hour_cost end)
        - max(case when {{ is_discrete_median('cost_rank', 'baseline_hours') }} then hour_cost end) as spread_cost
    from last_week
    where baseline_hours >= {{ min_baseline_hours }}
    group by {{ entity }}, usage_date

),

-- The same hour of weekdays, or of weekends.
like_hours as (

    select
        dear_hours.entity_type as entity_type,
        dear_hours.entity_id as entity_id,
        dear_hours.usage_hour as usage_hour,
        hours.hour_cost as hour_cost,
        row_number() over (
            partition by dear_hours.entity_type, dear_hours.entity_id, dear_hours.usage_hour
            order by hours.hour_cost, hours.usage_hour
        ) as cost_rank,
        count(*) over (
            partition by dear_hours.entity_type, dear_hours.entity_id, dear_hours.usage_hour
        ) as baseline_hours
    from dear_hours
    inner join hours
        on dear_hours.entity_type = hours.entity_type
        and dear_hours.entity_id = hours.entity_id
        and dear_hours.hour_of_day = hours.hour_of_day
        and dear_hours.is_weekend = hours.is_weekend
        and {{ add_days('dear_hours.usage_date', -1 * baseline_days) }} <= hours.usage_date
        and dear_hours.usage_date > hours.usage_date
        and hours.hour_cost > 0

),

like_medians as (

    select
        {{ hour }},
        hour_cost as median_cost
    from like_hours
    where
        {{ is_discrete_median('cost_rank', 'baseline_hours') }}
        and baseline_hours >= {{ min_like_hours }}

),

watched as (

    select distinct {{ entity }}
    from dear_hours

),

-- An hour in which others were logged and the entity was not is an hour without cost, and resolves.
logged_hours as (

    select
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

final as (

    select
        'hourly_cost' as metric,
        logged_hours.entity_type as entity_type,
        logged_hours.entity_id as entity_id,
        'hourly' as period_type,
        logged_hours.usage_hour as period_start,
        {{ add_hours('logged_hours.usage_hour', 1) }} as period_end,
        cast(coalesce(hours.hour_cost, 0) as {{ type_ratio() }}) as metric_value,
        cast(
            case
                when like_medians.median_cost > weeks.median_cost then like_medians.median_cost
                else weeks.median_cost
            end as {{ type_ratio() }}
        ) as baseline,
        cast(weeks.spread_cost as {{ type_ratio() }}) as spread,
        coalesce(hours.attempts, 0) as samples,
        {{ money(
            'coalesce(hours.hour_cost, 0) - coalesce(case '
            ~ 'when like_medians.median_cost > weeks.median_cost then like_medians.median_cost '
            ~ 'else weeks.median_cost end, 0)'
        ) }} as dollars
    from logged_hours
    left join hours
        on logged_hours.entity_type = hours.entity_type
        and logged_hours.entity_id = hours.entity_id
        and logged_hours.usage_hour = hours.usage_hour
    left join dear_hours
        on logged_hours.entity_type = dear_hours.entity_type
        and logged_hours.entity_id = dear_hours.entity_id
        and logged_hours.usage_hour = dear_hours.usage_hour
    left join weeks
        on dear_hours.entity_type = weeks.entity_type
        and dear_hours.entity_id = weeks.entity_id
        and dear_hours.usage_date = weeks.usage_date
    left join like_medians
        on dear_hours.entity_type = like_medians.entity_type
        and dear_hours.entity_id = like_medians.entity_id
        and dear_hours.usage_hour = like_medians.usage_hour

)

select * from final
