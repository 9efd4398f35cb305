-- What a day of an entity was, against what it usually is. A day's cost and requests know the weekend, the growth of
-- the last week, and the traffic that everybody has that day; a ratio knows none of them.

{{ config(materialized='table') }}

{% set measures = {
    'daily_cost': ('cost_usd', none),
    'daily_requests': ('requests', none),
    'retry_multiplier': ('attempts', 'requests'),
    'tokens_per_request': ('tokens', 'requests'),
    'cost_per_token': ('cost_usd', 'tokens'),
    'cache_hit_ratio': ('cached_input_tokens', 'cacheable_input_tokens'),
    'untagged_cost_ratio': ('untagged_usd', 'cost_usd'),
} %}
-- Under a fortnight nothing is usual, and a week of days is the least that shows a rhythm.
{% set days_new, min_days, min_days_of_week_part = 14, 7, 4 %}
-- A trend shows against days that it had not reached yet.
{% set trend_lag, trend_days = 14, 42 %}
{% set min_peers = 5 %}
{% set day_of_metric = 'metric, entity_type, entity_id, usage_date' %}

with cached as (

    select
        'endpoint' as entity_type,
        endpoint_tag as entity_id,
        usage_date,
        {{ sum_count('cached_input_tokens') }} as cached_input_tokens,
        {{ sum_count('input_tokens') }} as cacheable_input_tokens,
        {{ sum_money('missed_savings_usd') }} as missed_savings_usd
    from {{ ref('cache_efficiency') }}
    group by endpoint_tag, usage_date

),

untagged as (

    select
        'total' as entity_type,
        usage_date,
        cost_usd as untagged_usd
    from {{ ref('entity_daily_spend') }}
    where
        entity_type = 'endpoint'
        and entity_id = {{ unattributed() }}

),

rules as (

    select min(least(rules.min_dollars, coalesce(overrides.min_dollars, rules.min_dollars))) as min_dollars
    from {{ ref('stg_config__alert_rules') }} as rules
    left join {{ ref('stg_config__alert_rule_overrides') }} as overrides
        on rules.rule_id = overrides.rule_id
    where rules.metric = 'daily_requests'

),

-- Users are many, and few of them ever cost enough for a rule.
dear_users as (

    select distinct user_days.entity_id
    from {{ ref('entity_daily_spend') }} as user_days
    cross join rules
    where
        user_days.entity_type = 'user'
        and user_days.cost_usd >= rules.min_dollars

),

users as (

    select
        user_days.entity_type,
        user_days.entity_id,
        user_days.usage_date,
        {{ sum_count('user_days.requests') }} as requests,
        {{ sum_count('user_days.attempts') }} as attempts,
        {{ sum_count('user_days.input_tokens') }} as input_tokens,
        {{ sum_count('user_days.output_tokens') }} as output_tokens,
        {{ sum_money('user_days.cost_usd') }} as cost_usd,
        {{ sum_money('user_days.wasted_cost_usd') }} as wasted_cost_usd
    from {{ ref('entity_daily_spend') }} as user_days
    inner join dear_users
        on user_days.entity_id = dear_users.entity_id
    where user_days.entity_type = 'user'
    group by user_days.entity_type, user_days.entity_id, user_days.usage_date

),

entities as (

    select
        entity_type,
        entity_id,
        usage_date,
        requests,
        attempts,
        input_tokens,
        output_tokens,
        cost_usd,
        wasted_cost_usd
    from {{ ref('entity_daily_spend') }}
    where entity_type in ('total', 'endpoint', 'tenant', 'workflow', 'model')

    union all

    select * from users

),

days as (

    select
        {{ columns_of('entities', ['entity_type', 'entity_id', 'usage_date']) }},
        case when {{ weekday_number('entities.usage_date') }} >= 5 then 1 else 0 end as is_weekend,
        entities.requests,
        entities.attempts,
        entities.input_tokens + entities.output_tokens as tokens,
        entities.cost_usd as cost_usd,
        entities.wasted_cost_usd,
        cached.cached_input_tokens,
        cached.cacheable_input_tokens,
        cached.missed_savings_usd,
        {{ money('coalesce(untagged.untagged_usd, 0)') }} as untagged_usd,
        min(entities.usage_date) over (partition by entities.entity_type, entities.entity_id) as first_date
    from entities
    left join cached
        on entities.entity_type = cached.entity_type
        and entities.entity_id = cached.entity_id
        and entities.usage_date = cached.usage_date
    left join untagged
        on entities.entity_type = untagged.entity_type
        and entities.usage_date = untagged.usage_date
    where
        entities.entity_id != {{ unattributed() }}
        and entities.usage_date < {{ as_of_date() }}

),

series as (

    {% for metric, (numerator, denominator) in measures.items() -%}
    select
        '{{ metric }}' as metric,
        {{ 0 if denominator else 1 }} as is_amount,
        entity_type,
        entity_id,
        usage_date,
        is_weekend,
        first_date,
        requests,
        tokens,
        {{ 'untagged_usd' if metric == 'untagged_cost_ratio' else 'cost_usd' }} as cost_usd,
        {{ {'retry_multiplier': 'wasted_cost_usd', 'cache_hit_ratio': 'missed_savings_usd'}.get(
            metric, 'cast(null as ' ~ type_money() ~ ')'
        ) }} as own_dollars,
        {% if denominator -%}
        {{ ratio(numerator, denominator) }} as metric_value
        {% else -%}
        cast({{ numerator }} as {{ type_ratio() }}) as metric_value
        {% endif -%}
    from days
    where
        entity_type in {{ sql_list(alert_metrics()[metric].of) }}
        {% if denominator %}and {{ denominator }} > 0{% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

history as (

    select
        {{ columns_of('series', ['metric', 'entity_type', 'entity_id', 'usage_date']) }},
        earlier.usage_date as earlier_date,
        earlier.metric_value as earlier_value,
        -- weekends are compared with weekends, where that matters
        case when series.is_amount = 0 or series.is_weekend = earlier.is_weekend then 1 else 0 end as is_like
    from series
    inner join series as earlier
        on series.metric = earlier.metric
        and series.entity_type = earlier.entity_type
        and series.entity_id = earlier.entity_id
        and {{ add_days('series.usage_date', -1 * trend_days) }} <= earlier.usage_date
        and series.usage_date > earlier.usage_date
    where {{ add_days('series.first_date', days_new) }} <= series.usage_date

),
{% set spans = {
    'recent': (-28, 0, false),
    'recent_like': (-28, 0, true),
    'last_week': (-7, 0, false),
    'lagged_like': (-1 * trend_days, -1 * trend_lag, true),
} %}

spanned as (

    {% for span, (first_day, end_day, only_like) in spans.items() -%}
    select
        {{ day_of_metric }},
        '{{ span }}' as span,
        {{ min_days if span == 'recent' else min_days_of_week_part }} as least_days,
        earlier_date,
        earlier_value
    from history
    where
        {{ add_days('usage_date', first_day) }} <= earlier_date
        and {{ add_days('usage_date', end_day) }} > earlier_date
        {% if only_like %}and is_like = 1{% endif %}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

ranked as (

    select
        *,
        row_number() over (partition by {{ day_of_metric }}, span order by earlier_value, earlier_date) as value_rank,
        count(*) over (partition by {{ day_of_metric }}, span) as span_days
    from spanned

),

medians as (

    select
        *,
        max(
            case
                when span_days >= least_days and {{ is_discrete_median('value_rank', 'span_days') }} then earlier_value
            end
        ) over (partition by {{ day_of_metric }}, span) as median_value
    from ranked

),

distances as (

    select
        *,
        abs(earlier_value - median_value) as distance,
        row_number() over (
            partition by {{ day_of_metric }}, span order by abs(earlier_value - median_value), earlier_date
        ) as distance_rank
    from medians

),

usual as (

    select
        {{ day_of_metric }},
        max(case when span = 'recent' then median_value end) as recent_median,
        max(case when span = 'recent_like' then median_value end) as recent_like_median,
        max(case when span = 'last_week' then median_value end) as last_week_median,
        max(case when span = 'lagged_like' then median_value end) as lagged_like_median,
        max(
            case when span = 'recent_like' and {{ is_discrete_median('distance_rank', 'span_days') }} then distance end
        ) as recent_like_spread,
        max(
            case when span = 'lagged_like' and {{ is_discrete_median('distance_rank', 'span_days') }} then distance end
        ) as lagged_like_spread
    from distances
    group by {{ day_of_metric }}

),

measured as (

    select
        {{ columns_of('series', [
            'metric', 'is_amount', 'entity_type', 'entity_id', 'usage_date', 'requests', 'tokens', 'cost_usd',
            'own_dollars', 'metric_value',
        ]) }},
        coalesce(launches.planned_requests, 0) as planned_requests,
        {{ money('greatest(coalesce(launches.planned_usd, 0), 0)') }} as planned_cost,
        case
            when series.is_amount = 0 then 1
            else greatest(1, least(2, coalesce({{ ratio('usual.last_week_median', 'usual.recent_median') }}, 1)))
        end as growth,
        case when usual.recent_median is not null then usual.recent_like_median end as recent_like_median,
        case when usual.recent_median is not null then usual.recent_like_spread end as recent_like_spread,
        usual.last_week_median,
        usual.lagged_like_median,
        usual.lagged_like_spread
    from series
    left join usual
        on series.metric = usual.metric
        and series.entity_type = usual.entity_type
        and series.entity_id = usual.entity_id
        and series.usage_date = usual.usage_date
    left join {{ ref('int_launches_spent') }} as launches
        on series.entity_type = launches.entity_type
        and series.entity_id = launches.entity_id
        and series.usage_date = launches.usage_date

),
{% set busyness = {'traffic': 'recent_like_median * growth', 'trend': 'lagged_like_median'} %}

-- By how much the middle tenant, and the middle endpoint, had more requests than usual.
peers as (

    {% for name, expected in busyness.items() -%}
    select
        '{{ name }}' as peers_of,
        entity_type,
        usage_date,
        {{ ratio('metric_value', expected) }} as times_usual,
        row_number() over (
            partition by entity_type, usage_date order by {{ ratio('metric_value', expected) }}, entity_id
        ) as peer_rank,
        count(*) over (partition by entity_type, usage_date) as peers
    from measured
    where
        metric = 'daily_requests'
        and entity_type in ('endpoint', 'tenant')
        and {{ expected }} > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

busy_days as (

    select
        usage_date,
        greatest(1, coalesce(min(case when peers_of = 'traffic' then times_usual end), 1)) as traffic,
        greatest(1, coalesce(min(case when peers_of = 'trend' then times_usual end), 1)) as trend
    from peers
    where
        {{ is_discrete_median('peer_rank', 'peers') }}
        and peers >= {{ min_peers }}
    group by usage_date

),

planned as (

    select
        {{ columns_of('measured', [
            'metric', 'is_amount', 'entity_type', 'entity_id', 'usage_date', 'requests', 'cost_usd', 'own_dollars',
            'metric_value', 'growth', 'recent_like_median', 'recent_like_spread', 'last_week_median',
            'lagged_like_median', 'lagged_like_spread',
        ]) }},
        case when measured.is_amount = 1 then coalesce(busy_days.traffic, 1) else 1 end as traffic,
        case when measured.is_amount = 1 then coalesce(busy_days.trend, 1) else 1 end as trend,
        case measured.metric
            when 'daily_cost' then cast(measured.planned_cost as {{ type_ratio() }})
            when 'daily_requests' then cast(measured.planned_requests as {{ type_ratio() }})
            when 'cost_per_token' then {{ ratio('measured.planned_cost', 'measured.tokens') }}
            else 0
        end as planned_value
    from measured
    left join busy_days
        on measured.usage_date = busy_days.usage_date

),

-- What was usual, in the three ways in which a rule may ask.
compared as (

    select
        metric,
        entity_type,
        entity_id,
        usage_date,
        requests,
        cost_usd,
        own_dollars,
        metric_value,
        recent_like_median * growth * traffic + planned_value as baseline,
        recent_like_spread * growth * traffic as spread
    from planned

    union all

    select
        'daily_requests_in_trend' as metric,
        entity_type,
        entity_id,
        usage_date,
        requests,
        cost_usd,
        own_dollars,
        metric_value,
        lagged_like_median * trend + planned_value as baseline,
        lagged_like_spread * trend as spread
    from planned
    where
        metric = 'daily_requests'
        and entity_type in {{ sql_list(alert_metrics()['daily_requests_in_trend'].of) }}

    union all

    select
        'daily_cost_in_week' as metric,
        entity_type,
        entity_id,
        usage_date,
        requests,
        cost_usd,
        own_dollars,
        metric_value,
        last_week_median * traffic + planned_value as baseline,
        cast(null as {{ type_ratio() }}) as spread
    from planned
    where
        metric = 'daily_cost'
        and entity_type in {{ sql_list(alert_metrics()['daily_cost_in_week'].of) }}

),

final as (

    select
        metric,
        entity_type,
        entity_id,
        'daily' as period_type,
        cast(usage_date as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('usage_date', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        metric_value,
        baseline,
        spread,
        requests as samples,
        case
            when own_dollars is not null then own_dollars
            when baseline > metric_value then {{ money('0') }}
            else {{ derived_usd('cost_usd * (1 - coalesce(' ~ ratio('baseline', 'metric_value') ~ ', 0))') }}
        end as dollars
    from compared

)

select * from final
