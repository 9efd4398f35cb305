-- Did a prompt version make requests dearer, as it could be known at the end of each of its first days? Its first seven
-- complete days against its predecessor's last seven, with days on which both ran counted on both sides. The ratio of
-- means carries two bounds (delta method on its logarithm), each of which holds with 99 % confidence.

{{ config(materialized=shared_step()) }}

-- Requests of one day are not independent of each other, so one good day proves nothing.
{% set min_requests = min_compared_requests() | int %}
{% set min_days = 3 %}
-- A regression must be larger than 5 % beyond doubt: days differ from each other by about that much on their own.
{% set margin = 0.05 %}
{% set counts = [
    'all_requests', 'attempts', 'failed_requests', 'input_tokens', 'cached_input_tokens', 'output_tokens',
    'total_latency_ms',
] %}
{% set z_99_percent = 2.3263478740408 %}

with daily as (

    select
        endpoint_tag,
        prompt_version,
        usage_date,
        model,
        {{ sum_count('comparable_requests') }} as requests,
        {{ sum_money('comparable_cost_usd') }} as cost_usd,
        cast(sum(comparable_cost_usd_sum_of_squares) as {{ type_decimal(38, 18) }}) as cost_usd_sum_of_squares,
        {{ sum_count('comparable_tokens') }} as tokens,
        cast(sum(comparable_tokens_sum_of_squares) as {{ type_decimal(38, 0) }}) as tokens_sum_of_squares,
        {%- for count in counts[1:] %}
        {{ sum_count(count) }} as {{ count }},
        {%- endfor %}
        {{ sum_count('requests') }} as all_requests
    from {{ ref('fct_daily_requests') }}
    where
        is_in_scope
        and comparable_requests > 0
        and usage_date < {{ as_of_date() }}
    group by endpoint_tag, prompt_version, usage_date, model

),

served_days as (

    select distinct
        endpoint_tag,
        prompt_version,
        usage_date
    from daily

),

episodes as (

    select * from {{ ref('dim_prompt_versions') }}
    where predecessor is not null

),

overlap_days as (

    select
        episodes.endpoint_tag as endpoint_tag,
        episodes.prompt_version as prompt_version,
        episodes.episode,
        own_days.usage_date as usage_date
    from episodes
    inner join served_days as own_days
        on episodes.endpoint_tag = own_days.endpoint_tag
        and episodes.prompt_version = own_days.prompt_version
        and episodes.first_seen_date <= own_days.usage_date
        and own_days.usage_date <= {{ add_days('episodes.first_seen_date', 7) }}
    inner join served_days as predecessor_days
        on episodes.endpoint_tag = predecessor_days.endpoint_tag
        and episodes.predecessor = predecessor_days.prompt_version
        and own_days.usage_date = predecessor_days.usage_date

),

sides as (

    select
        episodes.endpoint_tag as endpoint_tag,
        episodes.prompt_version as prompt_version,
        episodes.episode as episode,
        case when daily.prompt_version = episodes.prompt_version then 'after' else 'before' end as side,
        daily.usage_date as usage_date,
        daily.model,
        daily.requests as requests,
        daily.cost_usd,
        daily.cost_usd_sum_of_squares,
        daily.tokens,
        daily.tokens_sum_of_squares,
        {{ columns_of('daily', counts) }}
    from episodes
    inner join daily
        on episodes.endpoint_tag = daily.endpoint_tag
        and daily.prompt_version in (episodes.prompt_version, episodes.predecessor)
        and daily.usage_date >= {{ add_days('episodes.first_seen_date', -7) }}
        and daily.usage_date <= {{ add_days('episodes.first_seen_date', 7) }}
    left join overlap_days
        on episodes.endpoint_tag = overlap_days.endpoint_tag
        and episodes.prompt_version = overlap_days.prompt_version
        and episodes.episode = overlap_days.episode
        and daily.usage_date = overlap_days.usage_date
    where
        overlap_days.usage_date is not null
        or (daily.prompt_version = episodes.prompt_version and daily.usage_date > episodes.first_seen_date)
        or (daily.prompt_version = episodes.predecessor and daily.usage_date < episodes.first_seen_date)

),

-- Every day that brought evidence is judged on what was known at its end.
judged_days as (

    select distinct
        endpoint_tag,
        prompt_version,
        episode,
        usage_date as judged_date
    from sides
    where side = 'after'

),

known as (

    select
        sides.*,
        judged_days.judged_date
    from sides
    inner join judged_days
        on sides.endpoint_tag = judged_days.endpoint_tag
        and sides.prompt_version = judged_days.prompt_version
        and sides.episode = judged_days.episode
        and sides.usage_date <= judged_days.judged_date

),

compared as (

    select
        endpoint_tag,
        prompt_version,
        episode,
        judged_date,
        {%- for count in counts %}
        {{ sum_count("case when side = 'before' then " ~ count ~ ' else 0 end') }} as {{ count }}_before,
        {{ sum_count("case when side = 'after' then " ~ count ~ ' else 0 end') }} as {{ count }}_after,
        {%- endfor %}
        {{ sum_count("case when side = 'before' then requests else 0 end") }} as requests_before,
        cast(count(distinct case when side = 'before' then usage_date end) as {{ dbt.type_bigint() }}) as days_before,
        sum(case when side = 'before' then cost_usd else 0 end) as cost_usd_before,
        sum(case when side = 'before' then cost_usd_sum_of_squares else 0 end) as cost_usd_sum_of_squares_before,
        sum(case when side = 'before' then tokens else 0 end) as tokens_before,
        sum(case when side = 'before' then tokens_sum_of_squares else 0 end) as tokens_sum_of_squares_before,
        {{ sum_count("case when side = 'after' then requests else 0 end") }} as requests_after,
        cast(count(distinct case when side = 'after' then usage_date end) as {{ dbt.type_bigint() }}) as days_after,
        sum(case when side = 'after' then cost_usd else 0 end) as cost_usd_after,
        sum(case when side = 'after' then cost_usd_sum_of_squares else 0 end) as cost_usd_sum_of_squares_after,
        sum(case when side = 'after' then tokens else 0 end) as tokens_after,
        sum(case when side = 'after' then tokens_sum_of_squares else 0 end) as tokens_sum_of_squares_after
    from known
    group by endpoint_tag, prompt_version, episode, judged_date

),

by_model as (

    select
        endpoint_tag,
        prompt_version,
        episode,
        judged_date,
        model,
        sum(case when side = 'before' then requests else 0 end) as requests_before,
        sum(case when side = 'after' then requests else 0 end) as requests_after,
        sum(case when side = 'before' then cost_usd else 0 end) as cost_usd_before,
        sum(case when side = 'after' then cost_usd else 0 end) as cost_usd_after
    from known
    group by endpoint_tag, prompt_version, episode, judged_date, model

),

model_shares as (

    select
        by_model.endpoint_tag,
        by_model.prompt_version,
        by_model.episode,
        by_model.judged_date,
        {{ ratio('by_model.requests_before', 'compared.requests_before') }} as share_before,
        {{ ratio('by_model.requests_after', 'compared.requests_after') }} as share_after,
        {{ ratio('by_model.cost_usd_before', 'by_model.requests_before') }} as cost_per_request_before,
        {{ ratio('by_model.cost_usd_after', 'by_model.requests_after') }} as cost_per_request_after
    from by_model
    inner join compared
        on by_model.endpoint_tag = compared.endpoint_tag
        and by_model.prompt_version = compared.prompt_version
        and by_model.episode = compared.episode
        and by_model.judged_date = compared.judged_date

),

-- What the change of models alone would have done: the shift of each model's share at its average cost on both sides.
model_mix as (

    select
        endpoint_tag,
        prompt_version,
        episode,
        judged_date,
        sum(
            (coalesce(share_after, 0) - coalesce(share_before, 0))
            * (
                coalesce(cost_per_request_before, cost_per_request_after)
                + coalesce(cost_per_request_after, cost_per_request_before)
            )
            * 0.5
        ) as model_mix_effect
    from model_shares
    group by endpoint_tag, prompt_version, episode, judged_date

),

-- Only where both sides have something to compare: a logarithm needs means above 0.
means as (

    select
        *,
        {{ ratio('cost_usd_before', 'requests_before') }} as cost_usd_mean_before,
        {{ ratio('cost_usd_after', 'requests_after') }} as cost_usd_mean_after,
        {{ ratio('tokens_before', 'requests_before') }} as tokens_mean_before,
        {{ ratio('tokens_after', 'requests_after') }} as tokens_mean_after,
        {{ relative_variance_of_mean('cost_usd_before', 'cost_usd_sum_of_squares_before', 'requests_before') }}
            as cost_usd_log_variance_before,
        {{ relative_variance_of_mean('cost_usd_after', 'cost_usd_sum_of_squares_after', 'requests_after') }}
            as cost_usd_log_variance_after,
        {{ relative_variance_of_mean('tokens_before', 'tokens_sum_of_squares_before', 'requests_before') }}
            as tokens_log_variance_before,
        {{ relative_variance_of_mean('tokens_after', 'tokens_sum_of_squares_after', 'requests_after') }}
            as tokens_log_variance_after
    from compared
    where
        cost_usd_before > 0 and cost_usd_after > 0
        and tokens_before > 0 and tokens_after > 0

),

estimated as (

    select
        *,
        ln(cost_usd_mean_after) - ln(cost_usd_mean_before) as cost_usd_log_ratio,
        sqrt(cost_usd_log_variance_before + cost_usd_log_variance_after) as cost_usd_log_ratio_error,
        ln(tokens_mean_after) - ln(tokens_mean_before) as tokens_log_ratio,
        sqrt(tokens_log_variance_before + tokens_log_variance_after) as tokens_log_ratio_error
    from means

),

final as (

    select
        episodes.endpoint_tag as endpoint_tag,
        episodes.prompt_version as prompt_version,
        episodes.episode as episode,
        compared.judged_date as judged_date,
        episodes.predecessor,
        episodes.first_seen_date,
        compared.requests_before as requests_before,
        compared.requests_after as requests_after,
        compared.days_before as days_before,
        compared.days_after as days_after,
        {{ derived_usd('estimated.cost_usd_mean_before') }} as cost_per_request_before_usd,
        {{ derived_usd('estimated.cost_usd_mean_after') }} as cost_per_request_after_usd,
        exp(estimated.cost_usd_log_ratio) as cost_per_request_ratio,
        exp(estimated.cost_usd_log_ratio - {{ z_99_percent }} * estimated.cost_usd_log_ratio_error)
            as cost_per_request_lower_ratio,
        exp(estimated.cost_usd_log_ratio + {{ z_99_percent }} * estimated.cost_usd_log_ratio_error)
            as cost_per_request_upper_ratio,
        exp(estimated.tokens_log_ratio) as tokens_per_request_ratio,
        exp(estimated.tokens_log_ratio - {{ z_99_percent }} * estimated.tokens_log_ratio_error)
            as tokens_per_request_lower_ratio,
        exp(estimated.tokens_log_ratio + {{ z_99_percent }} * estimated.tokens_log_ratio_error)
            as tokens_per_request_upper_ratio,
        {% for side in ['before', 'after'] -%}
        {% for name, (numerator, denominator) in {
            'attempts_per_request': ['attempts', 'all_requests'],
            'failed_requests_ratio': ['failed_requests', 'all_requests'],
            'input_tokens_per_request': ['input_tokens', 'all_requests'],
            'output_tokens_per_request': ['output_tokens', 'all_requests'],
            'cache_hit_ratio': ['cached_input_tokens', 'input_tokens'],
            'latency_ms_per_request': ['total_latency_ms', 'all_requests'],
        }.items() -%}
        {{ ratio('compared.' ~ numerator ~ '_' ~ side, 'compared.' ~ denominator ~ '_' ~ side) }}
            as {{ name }}_{{ side }},
        {% endfor -%}
        {% endfor -%}
        {{ derived_usd('model_mix.model_mix_effect') }} as model_mix_effect_per_request_usd,
        {{ derived_usd(
            'estimated.cost_usd_mean_after - estimated.cost_usd_mean_before - model_mix.model_mix_effect'
        ) }} as own_effect_per_request_usd,
        {{ ratio('model_mix.model_mix_effect', 'estimated.cost_usd_mean_after - estimated.cost_usd_mean_before') }}
            as model_mix_share_ratio,
        {{ derived_usd(
            '(estimated.cost_usd_mean_after - estimated.cost_usd_mean_before) * 30 * '
            ~ ratio('compared.requests_after', 'compared.days_after')
        ) }} as rollback_savings_per_30_days_usd,
        case
            when
                estimated.requests_before is null
                or compared.requests_before < {{ min_requests }} or compared.requests_after < {{ min_requests }}
                or compared.days_before < {{ min_days }} or compared.days_after < {{ min_days }}
                then 'insufficient_data'
            when
                estimated.cost_usd_log_ratio - {{ z_99_percent }} * estimated.cost_usd_log_ratio_error
                > ln(1 + {{ margin }})
                then 'regression'
            when
                estimated.cost_usd_log_ratio + {{ z_99_percent }} * estimated.cost_usd_log_ratio_error
                < ln(1 - {{ margin }})
                then 'improvement'
            else 'no_clear_change'
        end as verdict
    from compared
    inner join episodes
        on compared.endpoint_tag = episodes.endpoint_tag
        and compared.prompt_version = episodes.prompt_version
        and compared.episode = episodes.episode
    left join estimated
        on compared.endpoint_tag = estimated.endpoint_tag
        and compared.prompt_version = estimated.prompt_version
        and compared.episode = estimated.episode
        and compared.judged_date = estimated.judged_date
    left join model_mix
        on compared.endpoint_tag = model_mix.endpoint_tag
        and compared.prompt_version = model_mix.prompt_version
        and compared.episode = model_mix.episode
        and compared.judged_date = model_mix.judged_date

)

select * from final
