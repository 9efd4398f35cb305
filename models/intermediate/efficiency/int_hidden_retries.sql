-- A client that makes a new id for each try hides its retries: they look like requests of their own. Suspected is a
-- first attempt that starts within seconds of the end of a failed call for the same user, model and endpoint, under
-- another id, with the same input where both tell it. Two honest questions could look like that too.

{% set seconds = 15 %}

with failures as (

    select * from {{ ref('fct_llm_attempts') }}
    where
        is_in_scope
        and not is_useful

),

first_attempts as (

    select * from {{ ref('fct_llm_attempts') }}
    where
        is_in_scope
        and is_first_attempt

),

followed as (

    select distinct
        first_attempts.source as source,
        first_attempts.event_id as event_id,
        first_attempts.tenant_id as tenant_id,
        first_attempts.endpoint_tag as endpoint_tag,
        first_attempts.usage_date as usage_date,
        first_attempts.cost_usd as cost_usd
    from first_attempts
    inner join failures
        on first_attempts.user_id = failures.user_id
        and first_attempts.tenant_id = failures.tenant_id
        and first_attempts.endpoint_tag = failures.endpoint_tag
        and first_attempts.model = failures.model
        and first_attempts.request_key != failures.request_key
        and first_attempts.started_at > failures.started_at
        and {{ milliseconds_between('failures.started_at', 'first_attempts.started_at') }}
        <= {{ seconds }} * 1000 + coalesce(failures.latency_ms, 0)
        and coalesce(first_attempts.input_tokens, failures.input_tokens, 0)
        = coalesce(failures.input_tokens, first_attempts.input_tokens, 0)

),

final as (

    select
        tenant_id,
        endpoint_tag,
        usage_date,
        cast(count(*) as {{ dbt.type_bigint() }}) as hidden_retries,
        {{ sum_money('coalesce(cost_usd, 0)') }} as cost_usd
    from followed
    group by tenant_id, endpoint_tag, usage_date

)

select * from final
