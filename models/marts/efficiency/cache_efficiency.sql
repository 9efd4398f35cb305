-- What the provider's prompt cache saved, and what it would still save if it hit as often as in its best week of the
-- four before: a cache that stops hitting shows on its first day.

-- A week of fewer calls may hit by chance, and sets no example.
{% set min_attempts = 50 %}
{% set first_day = "cast('2020-01-01' as date)" %}
{% set history = "partition by endpoint_tag, provider, model order by day_number range between" %}

with spend as (

    select
        endpoint_tag,
        provider,
        model,
        usage_date,
        {{ days_between(first_day, 'usage_date') }}
            as day_number,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_count('input_tokens') }} as input_tokens,
        {{ sum_count('cached_input_tokens') }} as cached_input_tokens,
        {{ sum_count('cache_write_tokens') }} as cache_write_tokens,
        {{ sum_money('input_cost_usd') }} as input_cost_usd,
        {{ sum_money('cached_input_cost_usd') }} as cached_input_cost_usd,
        {{ sum_money('cache_writes_cost_usd') }} as cache_writes_cost_usd,
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ sum_money('cache_savings_usd') }} as cache_savings_usd
    from {{ ref('fct_daily_spend') }}
    where is_in_scope
    group by endpoint_tag, provider, model, usage_date

),

weekly as (

    select
        *,
        {{ ratio('cached_input_tokens', 'input_tokens') }} as cache_hit_ratio,
        {{ ratio(
            'sum(cached_input_tokens) over (' ~ history ~ ' 6 preceding and current row)',
            'sum(input_tokens) over (' ~ history ~ ' 6 preceding and current row)'
        ) }} as cache_hit_7_days_ratio,
        sum(attempts) over ({{ history }} 6 preceding and current row) as attempts_7_days,
        {{ ratio(
            'sum(cached_input_cost_usd) over (' ~ history ~ ' 34 preceding and current row)',
            'sum(cached_input_tokens) over (' ~ history ~ ' 34 preceding and current row)'
        ) }} as cached_token_usd,
        {{ ratio('input_cost_usd', 'input_tokens - cached_input_tokens - cache_write_tokens') }} as input_token_usd
    from spend

),

exemplary as (

    select
        *,
        max(case when attempts_7_days >= {{ min_attempts }} then cache_hit_7_days_ratio end) over (
            {{ history }} 28 preceding and 1 preceding
        ) as best_cache_hit_ratio
    from weekly

),

final as (

    select
        endpoint_tag,
        provider,
        model,
        usage_date,
        attempts,
        input_tokens,
        cached_input_tokens,
        cache_write_tokens,
        input_cost_usd,
        cached_input_cost_usd,
        cache_writes_cost_usd,
        cost_usd,
        cache_hit_ratio,
        cache_savings_usd,
        best_cache_hit_ratio,
        {{ derived_usd(
            'case
            when best_cache_hit_ratio > cache_hit_ratio and input_token_usd > cached_token_usd
                then (best_cache_hit_ratio - cache_hit_ratio) * input_tokens * (input_token_usd - cached_token_usd)
            when best_cache_hit_ratio <= cache_hit_ratio
                then 0
        end'
        ) }} as missed_savings_usd
    from exemplary

)

select * from final
