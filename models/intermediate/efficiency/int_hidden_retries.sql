-- A client that makes a new id for each try hides its retries: they look like requests of their own.
-- fct_daily_checks counts them by source.

with failures as (

    {% for days in [0, 1] -%}
    select
        *,
        {{ add_days('usage_date_utc', days) }} as reached_date_utc
    from {{ ref('fct_llm_attempts') }}
    where
        is_in_scope
        and not is_useful
    {{ 'union all' if not loop.last }}
    {% endfor %}
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
        on {{ follows_a_failure('first_attempts', 'failures') }}

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
