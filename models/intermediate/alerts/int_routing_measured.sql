-- Which part of a prompt version's requests went to dearer models than in the seven days before, the version being the
-- same, beyond what chance moves. A planned change raises the version and is compared by version.

{{ config(materialized='table') }}

{% set min_days_before, min_requests_before = 3, 30 %}
{% set dearer = '1.1' %}
-- standard errors of a share
{% set chance_errors = 2 %}
{% set version = 'endpoint_tag, prompt_version, usage_date' %}

with daily as (

    select
        endpoint_tag,
        prompt_version,
        usage_date,
        model,
        {{ sum_count('comparable_requests') }} as requests,
        {{ sum_count('comparable_tokens') }} as tokens,
        {{ sum_money('comparable_cost_usd') }} as cost_usd
    from {{ ref('fct_daily_requests') }}
    where
        is_in_scope
        and prompt_version != {{ unattributed() }}
        and comparable_tokens > 0
        and usage_date < {{ as_of_date() }}
    group by endpoint_tag, prompt_version, usage_date, model

),

days as (

    select
        {{ version }},
        {{ sum_count('requests') }} as requests,
        {{ sum_count('tokens') }} as tokens,
        {{ sum_money('cost_usd') }} as cost_usd
    from daily
    group by {{ version }}

),

models_before as (

    select
        days.endpoint_tag as endpoint_tag,
        days.prompt_version as prompt_version,
        days.usage_date as usage_date,
        earlier.model,
        {{ sum_count('earlier.requests') }} as requests
    from days
    inner join daily as earlier
        on days.endpoint_tag = earlier.endpoint_tag
        and days.prompt_version = earlier.prompt_version
        and {{ add_days('days.usage_date', -7) }} <= earlier.usage_date
        and days.usage_date > earlier.usage_date
    group by days.endpoint_tag, days.prompt_version, days.usage_date, earlier.model

),

weeks_before as (

    select
        days.endpoint_tag as endpoint_tag,
        days.prompt_version as prompt_version,
        days.usage_date as usage_date,
        count(*) as days_before,
        {{ sum_count('earlier.requests') }} as requests_before,
        {{ ratio('sum(earlier.cost_usd)', 'sum(earlier.tokens)') }} as cost_per_token_before
    from days
    inner join days as earlier
        on days.endpoint_tag = earlier.endpoint_tag
        and days.prompt_version = earlier.prompt_version
        and {{ add_days('days.usage_date', -7) }} <= earlier.usage_date
        and days.usage_date > earlier.usage_date
    group by days.endpoint_tag, days.prompt_version, days.usage_date

),

{% set share = ratio('daily.requests', 'days.requests') %}
{% set share_before = ratio('models_before.requests', 'weeks_before.requests_before') %}

gains as (

    select
        daily.endpoint_tag as endpoint_tag,
        daily.prompt_version as prompt_version,
        daily.usage_date as usage_date,
        sum(
            case
                when
                    {{ ratio('daily.cost_usd', 'daily.tokens') }} > {{ dearer }} * weeks_before.cost_per_token_before
                    then greatest(0, {{ share }} - coalesce({{ share_before }}, 0))
                else 0
            end
        ) as moved_share
    from daily
    inner join days
        on daily.endpoint_tag = days.endpoint_tag
        and daily.prompt_version = days.prompt_version
        and daily.usage_date = days.usage_date
    inner join weeks_before
        on daily.endpoint_tag = weeks_before.endpoint_tag
        and daily.prompt_version = weeks_before.prompt_version
        and daily.usage_date = weeks_before.usage_date
    left join models_before
        on daily.endpoint_tag = models_before.endpoint_tag
        and daily.prompt_version = models_before.prompt_version
        and daily.usage_date = models_before.usage_date
        and daily.model = models_before.model
    group by daily.endpoint_tag, daily.prompt_version, daily.usage_date

),

final as (

    select
        'dearer_model_gain' as metric,
        'prompt_version' as entity_type,
        {{ dbt.concat(['days.endpoint_tag', "' '", 'days.prompt_version']) }} as entity_id,
        'daily' as period_type,
        cast(days.usage_date as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('days.usage_date', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        greatest(
            0,
            coalesce(gains.moved_share, 0)
            - {{ chance_errors }} * 0.5 * sqrt(
                {{ ratio('1', 'days.requests') }} + coalesce({{ ratio('1', 'weeks_before.requests_before') }}, 0)
            )
        ) as metric_value,
        cast(null as {{ type_ratio() }}) as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        case
            when
                weeks_before.days_before >= {{ min_days_before }}
                and weeks_before.requests_before >= {{ min_requests_before }}
                then days.requests
            else 0
        end as samples,
        {{ derived_usd('days.cost_usd - days.tokens * weeks_before.cost_per_token_before') }} as dollars
    from days
    left join weeks_before
        on days.endpoint_tag = weeks_before.endpoint_tag
        and days.prompt_version = weeks_before.prompt_version
        and days.usage_date = weeks_before.usage_date
    left join gains
        on days.endpoint_tag = gains.endpoint_tag
        and days.prompt_version = gains.prompt_version
        and days.usage_date = gains.usage_date

)

select * from final
