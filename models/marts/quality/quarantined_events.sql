-- Every row that could not be accepted, with the place it came from and why: nothing loaded is lost.

with quarantined as (

    select
        'quarantined' as outcome,
        source,
        quarantine_reason as reason,
        _source_file as source_file,
        _source_line as source_line,
        event_id,
        started_at,
        provider,
        model,
        tenant_id,
        endpoint_tag,
        status,
        environment,
        data_mode,
        user_type,
        input_tokens,
        output_tokens,
        total_tokens,
        cached_input_tokens,
        cache_write_tokens,
        reasoning_tokens,
        other_usage,
        cast(null as {{ dbt.type_string() }}) as raw_text,
        _loaded_at as loaded_at
    from {{ ref('int_usage_events_judged') }}
    where
        quarantine_reason is not null
        and left_out_reason is null

),

{% if rejected_events() -%}
rejected as (

    select
        'rejected' as outcome,
        source,
        reason,
        _source_file as source_file,
        _source_line as source_line,
        cast(null as {{ dbt.type_string() }}) as event_id,
        cast(null as {{ type_utc_timestamp() }}) as started_at,
        cast(null as {{ dbt.type_string() }}) as provider,
        cast(null as {{ dbt.type_string() }}) as model,
        cast(null as {{ dbt.type_string() }}) as tenant_id,
        cast(null as {{ dbt.type_string() }}) as endpoint_tag,
        cast(null as {{ dbt.type_string() }}) as status,
        cast(null as {{ dbt.type_string() }}) as environment,
        cast(null as {{ dbt.type_string() }}) as data_mode,
        cast(null as {{ dbt.type_string() }}) as user_type,
        cast(null as {{ dbt.type_bigint() }}) as input_tokens,
        cast(null as {{ dbt.type_bigint() }}) as output_tokens,
        cast(null as {{ dbt.type_bigint() }}) as total_tokens,
        cast(null as {{ dbt.type_bigint() }}) as cached_input_tokens,
        cast(null as {{ dbt.type_bigint() }}) as cache_write_tokens,
        cast(null as {{ dbt.type_bigint() }}) as reasoning_tokens,
        cast(null as {{ dbt.type_string() }}) as other_usage,
        raw_text,
        _loaded_at as loaded_at
    from {{ rejected_events() }}

),

{% endif -%}
final as (

    select * from quarantined
    {% if rejected_events() -%}
    union all
    select * from rejected
    {% endif %}
)

select * from final
