-- The same call in several logs, or twice in one: by the provider's id of the answer, else by trace and span, else by
-- likeness, which is the same model, outcome and tokens within two seconds. Of its records the one of the log that
-- `usage_sources` names first counts; the others are here, beside it.

{{ config(materialized='table' if calls_may_repeat() else 'view') }}

{% set likeness %}model, status, input_tokens, output_tokens, cached_input_tokens{% endset %}

{% if not calls_may_repeat() -%}
select
    source,
    event_id,
    source as kept_source,
    event_id as kept_event_id,
    source as matched_by
from {{ ref('int_usage_events_deduplicated') }}
where 1 = 0
{%- else -%}
with records as (

    select
        events.source as source,
        events.event_id as event_id,
        case
            {% for source in usage_sources() -%}
            when events.source = '{{ source }}' then {{ loop.index }}
            {% endfor -%}
        end as source_ordinal,
        -- an application's own id may be the answer's
        case when events.source = 'app' then coalesce(events.response_id, events.event_id) else events.response_id end
            as answer_id,
        events.source != 'app' and events.response_id is not null as is_answer_known,
        events.run_id as run_id,
        events.started_at as started_at,
        coalesce(models.priced_model_id, events.model) as model,
        events.status as status,
        events.output_tokens is null as is_usage_missing,
        -- of a failed call one log says no tokens, another none
        coalesce(events.input_tokens, 0) as input_tokens,
        coalesce(events.output_tokens, 0) as output_tokens,
        coalesce(events.cached_input_tokens, 0) as cached_input_tokens
    from {{ ref('int_usage_events_deduplicated') }} as events
    left join {{ ref('int_models_resolved') }} as models
        on coalesce(events.provider, '') = models.provider
        and events.model = models.model
    -- what a cache answers again has the id of the first answer
    where not events.cache_hit

),

answered as (

    select
        *,
        coalesce(answer_id, max(answer_id) over (partition by run_id, event_id)) as known_answer_id
    from records

),

keyed as (

    select
        *,
        case
            when known_answer_id is not null then {{ dbt.concat(["'answer '", 'known_answer_id']) }}
            else {{ dbt.concat(["'span '", "coalesce(run_id, source)", "' '", 'event_id']) }}
        end as call_key,
        case when answer_id is not null then 'answer' else 'span' end as key_kind
    from answered

),

ranked as (

    select
        *,
        row_number() over (
            partition by call_key
            order by source_ordinal, case when is_usage_missing then 1 else 0 end, started_at, event_id
        ) as record_ordinal
    from keyed

),

firsts as (

    select * from ranked
    where record_ordinal = 1

),

-- Calls that are alike, in bursts without a pause of two seconds: the nth of one log is the nth of another. Records
-- with different answer ids are different calls, whichever logs they are in.
followed as (

    select
        *,
        case
            when {{ milliseconds_between(row_before('started_at') ~ ' over (
                partition by ' ~ likeness ~ ' order by started_at, source_ordinal, event_id
            )', 'started_at') }} <= 2000
                then 0
            else 1
        end as opens_burst
    from firsts

),

bursts as (

    select
        *,
        sum(opens_burst) over (
            partition by {{ likeness }}
            order by started_at, source_ordinal, event_id
            rows between unbounded preceding and current row
        ) as burst_ordinal,
        case when is_answer_known then 'answers' else source end as answer_stream,
        case when is_answer_known then 1 else 0 end as answers
    from followed

),

numbered as (

    select
        *,
        -- a log's call without an answer id is none of its calls with one
        row_number() over (
            partition by {{ likeness }}, burst_ordinal, answer_stream order by started_at, source_ordinal, event_id
        ) + case
            when answers = 1 then 0
            else sum(answers) over (partition by {{ likeness }}, burst_ordinal, source)
        end as call_ordinal
    from bursts

),

chosen as (

    select
        call_key,
        source,
        event_id,
        row_number() over (
            partition by {{ likeness }}, burst_ordinal, call_ordinal order by source_ordinal, event_id
        ) as choice,
        {{ likeness }},
        burst_ordinal,
        call_ordinal
    from numbered

),

kept as (

    select
        chosen.call_key as call_key,
        chosen.choice,
        best.source as kept_source,
        best.event_id as kept_event_id
    from chosen
    inner join chosen as best
        on chosen.model = best.model
        and chosen.status = best.status
        and chosen.input_tokens = best.input_tokens
        and chosen.output_tokens = best.output_tokens
        and chosen.cached_input_tokens = best.cached_input_tokens
        and chosen.burst_ordinal = best.burst_ordinal
        and chosen.call_ordinal = best.call_ordinal
        and best.choice = 1

),

final as (

    select
        ranked.source as source,
        ranked.event_id as event_id,
        kept.kept_source,
        kept.kept_event_id,
        case when ranked.record_ordinal > 1 then ranked.key_kind else 'likeness' end as matched_by
    from ranked
    inner join kept
        on ranked.call_key = kept.call_key
    where
        ranked.record_ordinal > 1
        or kept.choice > 1

)

select * from final
{%- endif %}
