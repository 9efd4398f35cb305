-- What the same calls would have cost on another model, over the last four weeks of whole days: each call at the
-- candidate's rate card of its day and size, so that a context tier that it crosses and a cache price that the
-- candidate lacks are counted. The tokens are those of the model in use: another tokenizer makes more or fewer.

with attempts as (

    select
        *,
        extract(hour from started_at) * 60 + extract(minute from started_at) as clock_minute,
        coalesce(cached_input_tokens, 0) as cached_tokens,
        coalesce(cache_write_1h_tokens, 0) as written_1h_tokens,
        coalesce(cache_write_tokens, 0) - coalesce(cache_write_1h_tokens, 0) as written_tokens,
        coalesce(reasoning_tokens, 0) as thought_tokens
    from {{ ref('fct_llm_attempts') }}
    where
        is_in_scope
        and {{ in_last_days('usage_date', 28) }}
        -- attempts are kept by UTC day
        and {{ since_days_ago('usage_date_utc', 29) }}
        and price_id is not null

),

candidates as (

    select * from {{ ref('stg_config__routing_candidates') }}

),

-- Only text can be moved; and what was not billed would not be billed elsewhere either.
movable as (

    select
        attempts.*,
        candidates.candidate_provider_id,
        candidates.candidate_model_id,
        candidates.note
    from attempts
    inner join candidates
        on attempts.priced_provider_id = candidates.provider_id
        and attempts.priced_model_id = candidates.model_id
        and attempts.endpoint_tag = coalesce(candidates.endpoint_tag, attempts.endpoint_tag)
    where
        attempts.cost_status = 'priced'
        and attempts.other_cost_usd = 0

),

cards as (

    select
        *,
        coalesce(cached_input_unit_price, input_unit_price) as cached_unit_price,
        coalesce(cache_write_unit_price, input_unit_price) as written_unit_price,
        coalesce(cache_write_1h_unit_price, cache_write_unit_price, input_unit_price) as written_1h_unit_price,
        coalesce(reasoning_unit_price, output_unit_price) as thought_unit_price
    from {{ ref('int_rate_cards') }}
    where
        service_tier = 'default'
        and speed = ''
        and region = ''

),

repriced as (

    select
        movable.endpoint_tag as endpoint_tag,
        movable.priced_provider_id as priced_provider_id,
        movable.priced_model_id as priced_model_id,
        movable.candidate_provider_id as candidate_provider_id,
        movable.candidate_model_id as candidate_model_id,
        movable.note as note,
        movable.cost_usd as cost_usd,
        cards.min_input_tokens > 0 as is_in_higher_tier,
        movable.cached_tokens > 0 and cards.price_id is not null and cards.cached_input_unit_price is null
            as loses_cache,
        {{ money(
            money(product(
                '(movable.input_tokens - movable.cached_tokens - movable.written_tokens - movable.written_1h_tokens)',
                'cards.input_unit_price'
            ))
            ~ ' + ' ~ money(product('movable.cached_tokens', 'cards.cached_unit_price'))
            ~ ' + ' ~ money(product('movable.written_tokens', 'cards.written_unit_price'))
            ~ ' + ' ~ money(product('movable.written_1h_tokens', 'cards.written_1h_unit_price'))
            ~ ' + ' ~ money(product('(movable.output_tokens - movable.thought_tokens)', 'cards.output_unit_price'))
            ~ ' + ' ~ money(product('movable.thought_tokens', 'cards.thought_unit_price'))
        ) }} as candidate_cost_usd
    from movable
    left join cards
        on movable.candidate_provider_id = cards.provider_id
        and movable.candidate_model_id = cards.model_id
        and movable.usage_date_utc >= cards.valid_from
        and movable.usage_date_utc < cards.valid_to
        and movable.clock_minute >= cards.clock_from_minute
        and movable.clock_minute < cards.clock_to_minute
        and {{ is_weekday_in('movable.usage_date_utc', 'cards.weekdays') }}
        and movable.input_tokens between cards.min_input_tokens and cards.max_input_tokens

),

added_up as (

    select
        endpoint_tag,
        priced_provider_id,
        priced_model_id,
        candidate_provider_id,
        candidate_model_id,
        max(note) as note,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_count('case when candidate_cost_usd is null then 1 else 0 end') }} as attempts_without_price,
        {{ sum_count('case when is_in_higher_tier then 1 else 0 end') }} as attempts_in_higher_tier,
        {{ sum_count('case when loses_cache then 1 else 0 end') }} as attempts_losing_cache,
        {{ sum_money('case when candidate_cost_usd is not null then cost_usd else 0 end') }} as cost_usd,
        {{ sum_money('coalesce(candidate_cost_usd, 0)') }} as candidate_cost_usd
    from repriced
    group by endpoint_tag, priced_provider_id, priced_model_id, candidate_provider_id, candidate_model_id

),

-- How well each model does on the endpoint, where it runs there already.
achieved as (

    select
        endpoint_tag,
        priced_provider_id,
        priced_model_id,
        {{ sum_count('case when task_succeeded is not null then 1 else 0 end') }} as judged_tasks,
        {{ sum_count('case when task_succeeded then 1 else 0 end') }} as succeeded_tasks,
        {{ sum_count('case when is_useful then 1 else 0 end') }} as useful_attempts,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts
    from attempts
    group by endpoint_tag, priced_provider_id, priced_model_id

),

final as (

    select
        moved.endpoint_tag as endpoint_tag,
        moved.priced_provider_id as priced_provider_id,
        moved.priced_model_id as priced_model_id,
        moved.candidate_provider_id,
        moved.candidate_model_id,
        moved.note,
        moved.attempts as attempts,
        moved.attempts_without_price,
        moved.attempts_in_higher_tier,
        moved.attempts_losing_cache,
        moved.cost_usd,
        moved.candidate_cost_usd,
        {{ money('moved.cost_usd - moved.candidate_cost_usd') }} as savings_usd,
        {{ ratio('moved.cost_usd - moved.candidate_cost_usd', 'moved.cost_usd') }} as savings_ratio,
        {{ ratio('own.useful_attempts', 'own.attempts') }} as success_ratio,
        {{ ratio('own.succeeded_tasks', 'own.judged_tasks') }} as task_success_ratio,
        {{ ratio('candidate.useful_attempts', 'candidate.attempts') }} as candidate_success_ratio,
        {{ ratio('candidate.succeeded_tasks', 'candidate.judged_tasks') }} as candidate_task_success_ratio,
        case
            when candidate.judged_tasks > 0 then 'judged'
            when candidate.attempts > 0 then 'answered'
            else 'unknown'
        end as candidate_success
    from added_up as moved
    left join achieved as own
        on moved.endpoint_tag = own.endpoint_tag
        and moved.priced_provider_id = own.priced_provider_id
        and moved.priced_model_id = own.priced_model_id
    left join achieved as candidate
        on moved.endpoint_tag = candidate.endpoint_tag
        and moved.candidate_provider_id = candidate.priced_provider_id
        and moved.candidate_model_id = candidate.priced_model_id

)

select * from final
