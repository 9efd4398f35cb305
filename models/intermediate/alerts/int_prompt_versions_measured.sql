-- By how much at least a version made requests dearer or longer, on every day that its endpoint served. After its first
-- week the last judgement stands as long as the version serves; a day without it counts as back to normal. At stake is
-- what the version itself added: another model that came with it was chosen.

{% set subjects = ['cost', 'tokens'] %}

with versions as (

    select * from {{ ref('dim_prompt_versions') }}
    where predecessor is not null

),

judgements as (

    select * from {{ ref('int_prompt_versions_judged') }}

),

endpoint_days as (

    select
        endpoint_tag,
        prompt_version,
        usage_date,
        {{ sum_count('requests') }} as requests
    from {{ ref('fct_daily_requests') }}
    where
        is_in_scope
        and usage_date < {{ as_of_date() }}
    group by endpoint_tag, prompt_version, usage_date

),

days as (

    select
        versions.endpoint_tag,
        versions.prompt_version,
        versions.episode,
        endpoint_days.usage_date,
        {{ sum_count(
            'case when versions.prompt_version = endpoint_days.prompt_version then endpoint_days.requests else 0 end'
        ) }} as requests
    from versions
    inner join endpoint_days
        on versions.endpoint_tag = endpoint_days.endpoint_tag
        and versions.first_seen_date <= endpoint_days.usage_date
        and {{ add_days('versions.last_seen_date', 7) }} >= endpoint_days.usage_date
    group by versions.endpoint_tag, versions.prompt_version, versions.episode, endpoint_days.usage_date

),

last_judgements as (

    select
        days.endpoint_tag,
        days.prompt_version,
        days.episode,
        days.usage_date,
        days.requests,
        max(judgements.judged_date) as judged_date
    from days
    left join judgements
        on days.endpoint_tag = judgements.endpoint_tag
        and days.prompt_version = judgements.prompt_version
        and days.episode = judgements.episode
        and days.usage_date >= judgements.judged_date
    group by days.endpoint_tag, days.prompt_version, days.episode, days.usage_date, days.requests

),

judged as (

    select
        {{ columns_of('last_judgements', ['usage_date', 'requests']) }},
        {{ dbt.concat(['last_judgements.endpoint_tag', "' '", 'last_judgements.prompt_version']) }} as entity_id,
        {%- for subject in subjects %}
        case
            when last_judgements.requests = 0 then 1
            else judgements.{{ subject }}_per_request_lower_ratio
        end as {{ subject }}_lower_ratio,
        {%- endfor %}
        case
            when last_judgements.requests = 0 then {{ min_compared_requests() }}
            when judgements.verdict is null or judgements.verdict = 'insufficient_data' then 0
            when judgements.requests_before < judgements.requests_after then judgements.requests_before
            else judgements.requests_after
        end as samples,
        {{ money('last_judgements.requests * judgements.own_effect_per_request_usd') }} as dollars
    from last_judgements
    left join judgements
        on last_judgements.endpoint_tag = judgements.endpoint_tag
        and last_judgements.prompt_version = judgements.prompt_version
        and last_judgements.episode = judgements.episode
        and last_judgements.judged_date = judgements.judged_date

),

final as (

    {% for subject in subjects -%}
    select
        '{{ subject }}_per_request_ratio' as metric,
        'prompt_version' as entity_type,
        entity_id,
        'daily' as period_type,
        cast(usage_date as {{ type_utc_timestamp() }}) as period_start,
        cast({{ add_days('usage_date', 1) }} as {{ type_utc_timestamp() }}) as period_end,
        {{ subject }}_lower_ratio as metric_value,
        cast(1 as {{ type_ratio() }}) as baseline,
        cast(null as {{ type_ratio() }}) as spread,
        samples,
        dollars
    from judged
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
