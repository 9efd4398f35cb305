-- Which attempts are one request: consecutive attempts under one id, ended by a success or by a silence of over 24
-- hours. So an id that a workflow reuses over several successful calls is several requests, and none of them is a
-- retry.

{% set request_identity %}source, tenant_id, environment, data_mode, logical_id, logical_call, endpoint_tag{% endset %}

with attempts as (

    select
        {{ identified_columns() | join(',\n        ') }},
        true as is_of_this_run
    from {{ ref('int_usage_events_identified') }}

    union all

    select
        {{ identified_columns() | join(',\n        ') }},
        false as is_of_this_run
    from {{ ref('int_request_neighbours') }}

),

named as (

    select
        *,
        coalesce(external_request_id, event_id) as logical_id,
        coalesce(call_name, '') as logical_call
    from attempts

),

followed as (

    select
        *,
        lag(status) over (partition by {{ request_identity }} order by started_at, event_id) as previous_status,
        lag(started_at) over (partition by {{ request_identity }} order by started_at, event_id) as previous_started_at
    from named

),

opened as (

    select
        *,
        case
            when
                previous_status is null
                or previous_status = 'success'
                or started_at > {{ dbt.dateadd('hour', 24, 'previous_started_at') }}
                then 1
            else 0
        end as opens_request
    from followed

),

counted as (

    select
        *,
        cast(sum(opens_request) over (
            partition by {{ request_identity }} order by started_at, event_id
            rows between unbounded preceding and current row
        ) as {{ dbt.type_bigint() }}) as call_ordinal
    from opened

),

dated as (

    select
        *,
        min(usage_date_utc) over (partition by {{ request_identity }}, call_ordinal) as request_date_utc
    from counted

),

final as (

    select
        *,
        {{ key_hash([
            'source', 'tenant_id', 'environment', 'data_mode', 'logical_id', 'logical_call', 'endpoint_tag', 'call_ordinal',
        ]) }} as request_key,
        opens_request = 1 as is_first_attempt,
        opens_request = 0 or coalesce(attempt_number, 1) > 1 as is_retry,
        status = 'success' as is_useful
    from dated
    where is_of_this_run

)

select * from final
