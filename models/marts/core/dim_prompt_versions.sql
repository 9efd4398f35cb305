-- When each prompt version ran, and what it replaced. A version that comes back after seven days of silence is a new
-- episode: a rollback is compared with what it rolled back, not with itself months ago.

with daily as (

    select
        endpoint_tag,
        prompt_version,
        usage_date,
        {{ sum_count('requests') }} as requests
    from {{ ref('fct_daily_requests') }}
    where
        is_in_scope
        and prompt_version != {{ unattributed() }}
    group by endpoint_tag, prompt_version, usage_date

),

followed as (

    select
        *,
        {{ row_before('usage_date') }} over (
            partition by endpoint_tag, prompt_version order by usage_date
        ) as previous_date
    from daily

),

opened as (

    select
        *,
        case
            when previous_date is null or usage_date > {{ add_days('previous_date', 7) }} then 1
            else 0
        end as opens_episode
    from followed

),

numbered as (

    select
        *,
        cast(sum(opens_episode) over (
            partition by endpoint_tag, prompt_version order by usage_date
            rows between unbounded preceding and current row
        ) as {{ dbt.type_bigint() }}) as episode
    from opened

),

episodes as (

    select
        endpoint_tag,
        prompt_version,
        episode,
        min(usage_date) as first_seen_date,
        max(usage_date) as last_seen_date,
        {{ sum_count('requests') }} as requests
    from numbered
    group by endpoint_tag, prompt_version, episode

),

requests_before as (

    select
        episodes.endpoint_tag,
        episodes.prompt_version,
        episodes.episode,
        daily.prompt_version as candidate,
        row_number() over (
            partition by episodes.endpoint_tag, episodes.prompt_version, episodes.episode
            order by sum(daily.requests) desc, daily.prompt_version desc
        ) as candidate_rank
    from episodes
    inner join daily
        on episodes.endpoint_tag = daily.endpoint_tag
        and episodes.prompt_version != daily.prompt_version
        and daily.usage_date >= {{ add_days('episodes.first_seen_date', -7) }}
        and episodes.first_seen_date > daily.usage_date
    group by episodes.endpoint_tag, episodes.prompt_version, episodes.episode, daily.prompt_version

),

final as (

    select
        episodes.endpoint_tag as endpoint_tag,
        episodes.prompt_version as prompt_version,
        episodes.episode as episode,
        episodes.first_seen_date,
        episodes.last_seen_date,
        episodes.requests,
        coalesce(case when episodes.episode = 1 then notes.predecessor end, requests_before.candidate) as predecessor,
        notes.change_note,
        notes.owner
    from episodes
    left join requests_before
        on episodes.endpoint_tag = requests_before.endpoint_tag
        and episodes.prompt_version = requests_before.prompt_version
        and episodes.episode = requests_before.episode
        and requests_before.candidate_rank = 1
    left join {{ ref('stg_config__prompt_versions') }} as notes
        on episodes.endpoint_tag = notes.endpoint_tag
        and episodes.prompt_version = notes.prompt_version

)

select * from final
