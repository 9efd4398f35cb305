-- The routing changed and the version did not: days on which a prompt version was answered by other models than in the
-- week before. Half the sum of the shares' changes is the part of the requests that moved.

{% set min_requests = 30 %}
{% set min_shift = 0.2 %}
{% set version = 'endpoint_tag, prompt_version' %}
{% set is_before = 'spend.usage_date < days.usage_date' %}

with spend as (

    select
        endpoint_tag,
        prompt_version,
        usage_date,
        model,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_money('cost_usd') }} as cost_usd
    from {{ ref('fct_daily_spend') }}
    where
        is_in_scope
        and prompt_version != {{ unattributed() }}
        and input_tokens + output_tokens > 0
    group by endpoint_tag, prompt_version, usage_date, model

),

days as (

    select
        endpoint_tag,
        prompt_version,
        usage_date,
        {{ sum_count('attempts') }} as attempts
    from spend
    group by endpoint_tag, prompt_version, usage_date

),

-- A day and the next six, against the seven before it: a shift of one day alone is chance.
sides as (

    select
        days.endpoint_tag as endpoint_tag,
        days.prompt_version as prompt_version,
        days.usage_date as usage_date,
        spend.model as model,
        {{ sum_count('case when ' ~ is_before ~ ' then spend.attempts else 0 end') }} as attempts_before,
        {{ sum_count('case when ' ~ is_before ~ ' then 0 else spend.attempts end') }} as attempts_after,
        {{ sum_money('case when ' ~ is_before ~ ' then spend.cost_usd else 0 end') }} as cost_usd_before,
        {{ sum_money('case when ' ~ is_before ~ ' then 0 else spend.cost_usd end') }} as cost_usd_after
    from days
    inner join spend
        on days.endpoint_tag = spend.endpoint_tag
        and days.prompt_version = spend.prompt_version
        and spend.usage_date >= {{ add_days('days.usage_date', -7) }}
        and spend.usage_date <= {{ add_days('days.usage_date', 6) }}
    group by days.endpoint_tag, days.prompt_version, days.usage_date, spend.model

),

shared as (

    select
        {%- for side in ['before', 'after'] %}
        cast(sum(attempts_{{ side }}) over (partition by {{ version }}, usage_date) as {{ dbt.type_bigint() }})
            as all_attempts_{{ side }},
        {{ ratio(
            'attempts_' ~ side, 'sum(attempts_' ~ side ~ ') over (partition by ' ~ version ~ ', usage_date)'
        ) }} as share_{{ side }},
        row_number() over (
            partition by {{ version }}, usage_date order by attempts_{{ side }} desc, model asc
        ) as rank_{{ side }},
        {%- endfor %}
        attempts_before,
        attempts_after,
        cost_usd_before,
        cost_usd_after,
        model,
        endpoint_tag,
        prompt_version,
        usage_date
    from sides

),

shifted as (

    select
        {{ version }},
        usage_date,
        max(all_attempts_before) as attempts_before,
        max(all_attempts_after) as attempts_after,
        max(case when rank_before = 1 then model end) as main_model_before,
        max(case when rank_after = 1 then model end) as main_model_after,
        sum(abs(share_after - share_before)) * 0.5 as moved_ratio,
        {{ sum_money('cost_usd_before') }} as cost_usd_before,
        {{ sum_money('cost_usd_after') }} as cost_usd_after
    from shared
    group by {{ version }}, usage_date

),

-- Of a run of days that all see the same shift, the one that sees it most plainly is when it happened.
placed as (

    select
        *,
        {{ row_before('usage_date') }} over (partition by {{ version }} order by usage_date) as previous_date
    from shifted
    where
        attempts_before >= {{ min_requests }}
        and attempts_after >= {{ min_requests }}
        and moved_ratio >= {{ min_shift }}
        -- four standard errors of a share: chance alone does not move so many
        and moved_ratio >= 4 * 0.5 * sqrt({{ ratio('1', 'attempts_before') }} + {{ ratio('1', 'attempts_after') }})

),

numbered as (

    select
        *,
        sum(case when usage_date <= {{ add_days('previous_date', 7) }} then 0 else 1 end) over (
            partition by {{ version }} order by usage_date rows between unbounded preceding and current row
        ) as shift_number
    from placed

),

ranked as (

    select
        *,
        row_number() over (
            partition by {{ version }}, shift_number order by moved_ratio desc, usage_date asc
        ) as plainness
    from numbered

),

final as (

    select
        endpoint_tag,
        prompt_version,
        usage_date as changed_on,
        main_model_before,
        main_model_after,
        moved_ratio,
        attempts_before,
        attempts_after,
        {{ derived_usd(ratio('cost_usd_before', 'attempts_before')) }} as cost_per_attempt_before_usd,
        {{ derived_usd(ratio('cost_usd_after', 'attempts_after')) }} as cost_per_attempt_after_usd,
        {{ derived_usd(
            '(' ~ ratio('cost_usd_after', 'attempts_after') ~ ' - ' ~ ratio('cost_usd_before', 'attempts_before')
            ~ ') * attempts_after'
        ) }} as cost_effect_7_days_usd
    from ranked
    where plainness = 1

)

select * from final
