-- Names are resolved and matched with rate cards once each, never once per call. What is gone from the raw events is
-- remembered by the attempts.

{% set attempts = built_relation('fct_llm_attempts') %}

with logged as (

    select
        cast(started_at as date) as usage_date_utc,
        coalesce(provider, '') as provider,
        model,
        service_tier,
        {{ lower_case("coalesce(speed, '')") }} as speed,
        {{ lower_case("coalesce(region, '')") }} as region,
        cast(count(*) as {{ dbt.type_bigint() }}) as raw_rows,
        max(_loaded_at) as last_loaded_at
    from {{ ref('int_usage_events_judged') }}
    where
        started_at is not null
        and model is not null
        -- what was a call may become the repetition of one that came later
        and coalesce(left_out_reason, '') != 'not_a_call'
    group by 1, 2, 3, 4, 5, 6

    {% if attempts -%}
    union all

    select
        usage_date_utc,
        coalesce(nullif(provider, {{ unattributed() }}), '') as provider,
        model,
        service_tier,
        {{ lower_case("coalesce(speed, '')") }} as speed,
        {{ lower_case("coalesce(region, '')") }} as region,
        cast(0 as {{ dbt.type_bigint() }}) as raw_rows,
        cast(null as {{ type_utc_timestamp() }}) as last_loaded_at
    from {{ attempts }}
    group by 1, 2, 3, 4, 5, 6
    {%- endif %}

),

final as (

    select
        usage_date_utc,
        provider,
        model,
        service_tier,
        speed,
        region,
        {{ sum_count('raw_rows') }} as raw_rows,
        max(last_loaded_at) as last_loaded_at
    from logged
    group by 1, 2, 3, 4, 5, 6

)

select * from final
