-- What was unlike the usual days, in numbers that are the larger the stranger. Where one endpoint drove the incident,
-- its calls alone are looked at: what changed there must not drown in the rest of a tenant or of the company.

-- What fewer calls say is chance.
{% set few_calls = 20 %}
{% set min_attempts = 50 %}
{% set price_parts = {
    'input': 'input_tokens - cached_input_tokens - cache_write_tokens', 'cached_input': 'cached_input_tokens',
    'cache_writes': 'cache_write_tokens', 'output': 'output_tokens',
} %}
{% set measures = [
    'attempts', 'requests', 'attempts_without_cost', 'input_tokens', 'cached_input_tokens', 'output_tokens',
] %}
{% set sides = ['now', 'usual'] %}

with incidents as (

    select alert_id from {{ ref('int_incidents_opened') }}

),

spend as (

    select * from {{ ref('int_incident_spend') }}

),

main_endpoints as (

    select
        alert_id as driven_alert_id,
        entity_id as main_endpoint_tag
    from {{ ref('alert_contributors') }}
    where
        entity_type = 'endpoint'
        and contributor_rank = 1
        and is_main

),

looked_at as (

    select
        spend.*,
        spend.endpoint_tag = coalesce(main_endpoints.main_endpoint_tag, spend.endpoint_tag) as is_in_focus,
        case when spend.endpoint_tag = {{ unattributed() }} then spend.attempts else 0 end as untagged_attempts
    from spend
    left join main_endpoints
        on spend.alert_id = main_endpoints.driven_alert_id

),

sums as (

    select
        alert_id,
        max(usual_periods) as usual_periods,
        max(judged_days) as judged_days,
        {%- for measure in measures %}
        {%- for side in sides %}
        {{ sum_count("case when side = '" ~ side ~ "' and is_in_focus then " ~ measure ~ " else 0 end") }}
            as {{ measure }}_{{ side }},
        {%- endfor %}
        {%- endfor %}
        {%- for side in sides %}
        {{ sum_count("case when side = '" ~ side ~ "' then untagged_attempts else 0 end") }}
            as untagged_attempts_{{ side }},
        {%- endfor %}
        {{ sum_count("case when side = 'now' then attempts else 0 end") }} as all_attempts_now
    from looked_at
    group by alert_id

),

by_model as (

    select
        alert_id,
        model,
        {%- for part, quantity in price_parts.items() %}
        {%- for side in sides %}
        sum(case when side = '{{ side }}' then {{ quantity }} else 0 end) as {{ part }}_quantity_{{ side }},
        {{ sum_money("case when side = '" ~ side ~ "' then " ~ part ~ "_cost_usd else 0 end") }}
            as {{ part }}_cost_{{ side }},
        {%- endfor %}
        {%- endfor %}
        service_tier
    from looked_at
    where is_in_focus
    group by alert_id, model, service_tier

),

-- The same tokens at the usual prices, of what has both.
prices as (

    {% for part in price_parts -%}
    select
        alert_id,
        {{ part }}_cost_now as cost_now,
        {{ part }}_quantity_now * {{ ratio(part ~ '_cost_usual', part ~ '_quantity_usual') }} as cost_at_usual_prices
    from by_model
    where
        {{ part }}_quantity_now > 0
        and {{ part }}_quantity_usual > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

price_changes as (

    select
        alert_id,
        {{ ratio('sum(cost_now)', 'sum(cost_at_usual_prices)') }} as unit_price_ratio
    from prices
    group by alert_id

),

answering_models as (

    select
        alert_id,
        endpoint_tag,
        prompt_version,
        {%- for side in sides %}
        {{ sum_count("case when side = '" ~ side ~ "' then attempts else 0 end") }} as attempts_{{ side }},
        {{ sum_money("case when side = '" ~ side ~ "' then cost_usd else 0 end") }} as cost_{{ side }},
        {%- endfor %}
        model
    from looked_at
    where is_in_focus
    group by alert_id, endpoint_tag, prompt_version, model

),

version_models as (

    select
        alert_id,
        endpoint_tag,
        prompt_version,
        attempts_now,
        attempts_usual,
        -- what a model usually costs, where it is not new
        case when attempts_usual > 0 then cost_usual else cost_now end as dear_cost,
        case when attempts_usual > 0 then attempts_usual else attempts_now end as dear_attempts,
        {%- for part in ['attempts_now', 'attempts_usual', 'cost_usual'] %}
        sum({{ part }}) over (partition by alert_id, endpoint_tag, prompt_version) as version_{{ part }},
        {%- endfor %}
        sum(attempts_now) over (partition by alert_id) as all_attempts_now
    from answering_models

),

-- Calls that moved to a model dearer than the usual mix of the same version.
moved as (

    select
        alert_id,
        sum(case
            when
                {{ ratio('dear_cost', 'dear_attempts') }}
                > {{ ratio('version_cost_usual', 'version_attempts_usual') }}
                and attempts_now * version_attempts_usual > attempts_usual * version_attempts_now
                then
                    {{ ratio('attempts_now', 'all_attempts_now') }}
                    - {{ ratio('attempts_usual', 'version_attempts_usual') }}
                    * {{ ratio('version_attempts_now', 'all_attempts_now') }}
            else 0
        end) as dearer_model_share
    from version_models
    where
        version_attempts_now >= {{ min_attempts }}
        and version_attempts_usual >= {{ min_attempts }}
    group by alert_id

),

attempts as (

    select * from {{ ref('int_incident_attempts') }}

),

callers as (

    {% for column in ['tenant_id', 'user_id'] -%}
    select {{ column }} as caller_name
    from attempts
    group by {{ column }}
    {{ 'union distinct' if not loop.last }}
    {% endfor %}

),

test_callers as (

    select caller_name
    from callers
    where {{ names_hold_word(['caller_name'], test_words()) }}

),

test_traffic as (

    select
        attempts.alert_id,
        {{ ratio(
            'sum(case when coalesce(test_tenants.caller_name, test_users.caller_name) is not null then 1 else 0 end)',
            'count(*)'
        ) }} as test_traffic_share
    from attempts
    left join test_callers as test_tenants
        on attempts.tenant_id = test_tenants.caller_name
    left join test_callers as test_users
        on attempts.user_id = test_users.caller_name
    group by attempts.alert_id

),

runs as (

    select
        alert_id,
        run_id,
        count(*) as attempts,
        {{ sum_money('cost_usd') }} as cost_usd
    from attempts
    group by alert_id, run_id

),

long_runs as (

    select
        alert_id,
        {{ ratio(
            'max(case when run_id is not null and attempts >= ' ~ few_calls ~ ' then cost_usd else 0 end)',
            'sum(cost_usd)'
        ) }} as long_run_share
    from runs
    group by alert_id

),

final as (

    select
        incidents.alert_id as alert_id,
        {{ ratio('sums.requests_now * sums.usual_periods', 'sums.requests_usual * sums.judged_days') }}
            as requests_ratio,
        case
            when sums.requests_now >= {{ few_calls }} and sums.requests_usual >= {{ few_calls }}
                then {{ ratio(
                    ratio('sums.attempts_now', 'sums.requests_now'), ratio('sums.attempts_usual', 'sums.requests_usual')
                ) }}
        end as attempts_per_request_ratio,
        case
            when sums.attempts_now >= {{ min_attempts }} and sums.attempts_usual >= {{ min_attempts }}
                then {{ ratio(
                    ratio('sums.input_tokens_now', 'sums.attempts_now'),
                    ratio('sums.input_tokens_usual', 'sums.attempts_usual')
                ) }}
        end as input_tokens_ratio,
        case
            when sums.attempts_now >= {{ min_attempts }} and sums.attempts_usual >= {{ min_attempts }}
                then {{ ratio(
                    ratio('sums.output_tokens_now', 'sums.attempts_now'),
                    ratio('sums.output_tokens_usual', 'sums.attempts_usual')
                ) }}
        end as output_tokens_ratio,
        {{ ratio('sums.cached_input_tokens_usual', 'sums.input_tokens_usual') }}
        - {{ ratio('sums.cached_input_tokens_now', 'sums.input_tokens_now') }} as cached_share_drop,
        price_changes.unit_price_ratio,
        moved.dearer_model_share,
        long_runs.long_run_share,
        test_traffic.test_traffic_share,
        {{ ratio(
            'sums.untagged_attempts_now * sums.usual_periods - sums.untagged_attempts_usual * sums.judged_days',
            'sums.all_attempts_now * sums.usual_periods'
        ) }} as new_untagged_share,
        {{ ratio(
            'sums.attempts_without_cost_now * sums.usual_periods - sums.attempts_without_cost_usual * sums.judged_days',
            'sums.attempts_now * sums.usual_periods'
        ) }} as new_unpriced_share
    from incidents
    left join sums
        on incidents.alert_id = sums.alert_id
    left join price_changes
        on incidents.alert_id = price_changes.alert_id
    left join moved
        on incidents.alert_id = moved.alert_id
    left join long_runs
        on incidents.alert_id = long_runs.alert_id
    left join test_traffic
        on incidents.alert_id = test_traffic.alert_id

)

select * from final
