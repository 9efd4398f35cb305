-- What is known of each prompt version by now: its last judgement. A version without one yet has a row all the same.

with judgements as (

    select
        *,
        row_number() over (
            partition by endpoint_tag, prompt_version, episode
            order by judged_date desc
        ) as recency
    from {{ ref('int_prompt_versions_judged') }}

),

final as (

    select
        versions.endpoint_tag,
        versions.prompt_version,
        versions.episode,
        versions.predecessor,
        versions.first_seen_date,
        judgements.judged_date,
        versions.change_note,
        versions.owner,
        coalesce(judgements.requests_before, 0) as requests_before,
        coalesce(judgements.requests_after, 0) as requests_after,
        coalesce(judgements.days_before, 0) as days_before,
        coalesce(judgements.days_after, 0) as days_after,
        judgements.cost_per_request_before_usd,
        judgements.cost_per_request_after_usd,
        judgements.cost_per_request_ratio,
        judgements.cost_per_request_lower_ratio,
        judgements.cost_per_request_upper_ratio,
        judgements.tokens_per_request_ratio,
        judgements.tokens_per_request_lower_ratio,
        judgements.tokens_per_request_upper_ratio,
        {% for side in ['before', 'after'] -%}
        {% for name in [
            'attempts_per_request', 'failed_requests_ratio', 'input_tokens_per_request', 'output_tokens_per_request',
            'cache_hit_ratio', 'latency_ms_per_request',
        ] -%}
        judgements.{{ name }}_{{ side }},
        {% endfor -%}
        {% endfor -%}
        judgements.model_mix_effect_per_request_usd,
        judgements.own_effect_per_request_usd,
        judgements.model_mix_share_ratio,
        judgements.rollback_savings_per_30_days_usd,
        {{ derived_usd(ratio('judgements.rollback_savings_per_30_days_usd', '30')) }} as rollback_savings_per_day_usd,
        {{ derived_usd(
            '(judgements.cost_per_request_after_usd - judgements.cost_per_request_before_usd) * versions.requests'
        ) }} as cost_effect_to_date_usd,
        coalesce(judgements.verdict, 'insufficient_data') as verdict
    from {{ ref('dim_prompt_versions') }} as versions
    left join judgements
        on versions.endpoint_tag = judgements.endpoint_tag
        and versions.prompt_version = judgements.prompt_version
        and versions.episode = judgements.episode
        and judgements.recency = 1
    where versions.predecessor is not null

)

select * from final
