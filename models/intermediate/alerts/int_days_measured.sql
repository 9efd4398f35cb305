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
        {{ days_between('earlier.usage_date', 'series.usage_date') }}
            as days_ago,
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
    'recent': (1, 28, 0, min_days),
    'recent_like': (1, 28, 1, min_days_of_week_part),
    'last_week': (1, 7, 0, min_days_of_week_part),
    'lagged_like': (trend_lag + 1, trend_days, 1, min_days_of_week_part),
} %}

-- Spans, and other lists below, are joined and not repeated: an engine that copies a step to each place where it is
-- read would compute all of it many times.
spans as (

    {% for span, (first_day_ago, last_day_ago, is_like, least_days) in spans.items() -%}
    select
        '{{ span }}' as span,
        {{ first_day_ago }} as first_day_ago,
        {{ last_day_ago }} as last_day_ago,
        {{ is_like }} as only_like,
        {{ least_days }} as least_days
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

spanned as (

    select
        {{ columns_of('history', [
            'metric', 'entity_type', 'entity_id', 'usage_date', 'earlier_date', 'earlier_value',
        ]) }},
        spans.span,
        spans.least_days
    from history
    inner join spans
        on history.days_ago >= spans.first_day_ago
        and history.days_ago <= spans.last_day_ago
        and history.is_like >= spans.only_like

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

looks as (

    select 'traffic' as peers_of
    union all
    select 'trend' as peers_of

),

expected_requests as (

    select
        looks.peers_of,
        measured.entity_type,
        measured.entity_id,
        measured.usage_date,
        measured.metric_value,
        case
            when looks.peers_of = 'traffic' then measured.recent_like_median * measured.growth
            else measured.lagged_like_median
        end as expected
    from measured
    cross join looks
    where
        measured.metric = 'daily_requests'
        and measured.entity_type in ('endpoint', 'tenant')

),

-- By how much the middle tenant, and the middle endpoint, had more requests than usual.
peers as (

    select
        peers_of,
        usage_date,
        {{ ratio('metric_value', 'expected') }} as times_usual,
        row_number() over (
            partition by peers_of, entity_type, usage_date
            order by {{ ratio('metric_value', 'expected') }}, entity_id
        ) as peer_rank,
        count(*) over (partition by peers_of, entity_type, usage_date) as peers
    from expected_requests
    where expected > 0

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

ways as (

    select 'usual' as way
    union all
    select 'trend' as way
    union all
    select 'week' as way

),

-- What was usual, in the three ways in which a rule may ask.
compared as (

    select
        case ways.way
            when 'trend' then 'daily_requests_in_trend'
            when 'week' then 'daily_cost_in_week'
            else planned.metric
        end as metric,
        {{ columns_of('planned', [
            'entity_type', 'entity_id', 'usage_date', 'requests', 'cost_usd', 'own_dollars', 'metric_value',
        ]) }},
        case ways.way
            when 'trend' then planned.lagged_like_median * planned.trend
            when 'week' then planned.last_week_median * planned.traffic
            else planned.recent_like_median * planned.growth * planned.traffic
        end + planned.planned_value as baseline,
        case ways.way
            when 'trend' then planned.lagged_like_spread * planned.trend
            when 'usual' then planned.recent_like_spread * planned.growth * planned.traffic
        end as spread
    from planned
    cross join ways
    where
        ways.way = 'usual'
        or (
            ways.way = 'trend'
            and planned.metric = 'daily_requests'
            and planned.entity_type in {{ sql_list(alert_metrics()['daily_requests_in_trend'].of) }}
        )
        or (
            ways.way = 'week'
            and planned.metric = 'daily_cost'
            and planned.entity_type in {{ sql_list(alert_metrics()['daily_cost_in_week'].of) }}
        )

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
