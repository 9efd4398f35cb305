-- Which attempts are one request: consecutive attempts under one id, ended by a success or by a silence of over 24
-- hours. So an id that a workflow reuses over several successful calls is several requests, and none of them is a
-- retry. Only ids with more than one attempt are put in order, for ordering all attempts costs more than pricing them.

{% set request_identity %}source, tenant_id, environment, data_mode, logical_id, logical_call, endpoint_tag{% endset %}

with shared_ids as (

    select logical_id
    from {{ ref('int_attempts_gathered') }}
    group by logical_id
    having count(*) > 1

),

alone as (

    select
        attempts.*,
        1 as opens_request,
        cast(1 as {{ dbt.type_bigint() }}) as call_ordinal,
        attempts.usage_date_utc as request_date_utc
    from {{ ref('int_attempts_gathered') }} as attempts
    left join shared_ids
        on attempts.logical_id = shared_ids.logical_id
    where shared_ids.logical_id is null

),

together as (

    select attempts.*
    from {{ ref('int_attempts_gathered') }} as attempts
    inner join shared_ids
        on attempts.logical_id = shared_ids.logical_id

),

followed as (

    select
        *,
        lag(status) over (partition by {{ request_identity }} order by started_at, event_id) as previous_status,
        lag(started_at) over (partition by {{ request_identity }} order by started_at, event_id) as previous_started_at
    from together

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

{% set columns = identified_columns() + [
    'is_of_this_run', 'logical_id', 'logical_call', 'opens_request', 'call_ordinal', 'request_date_utc',
] %}

attempts as (

    select {{ columns | join(',\n        ') }}
    from alone

    union all

    select {{ columns | join(',\n        ') }}
    from dated

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
    from attempts
    where is_of_this_run

)

select * from final
