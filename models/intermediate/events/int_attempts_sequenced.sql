-- Which attempts are one request: consecutive attempts under one id, ended by a success or by a silence of over 24
-- hours. So an id that a workflow reuses over several successful calls is several requests, and none of them is a
-- retry. Only ids with more than one attempt are put in order, for ordering all attempts costs more than pricing them.

{{ config(materialized=shared_step()) }}

{% set request_identity %}source, tenant_id, environment, data_mode, logical_id, call_name, endpoint_tag{% endset %}

{% set what_orders_them = [
    'source', 'event_id', 'tenant_id', 'environment', 'data_mode', 'endpoint_tag', 'started_at', 'status',
    'latency_ms', 'usage_date_utc',
] %}

with gathered as (

    {% for attempts in [ref('int_usage_events_identified'), ref('int_request_neighbours')] -%}
    select
        {{ what_orders_them | join(',\n        ') }},
        coalesce(external_request_id, event_id) as logical_id,
        coalesce(call_name, '') as call_name
    from {{ attempts }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

shared_ids as (

    select logical_id
    from gathered
    group by logical_id
    having count(*) > 1

),

together as (

    select gathered.*
    from gathered
    inner join shared_ids
        on gathered.logical_id = shared_ids.logical_id

),

followed as (

    select
        *,
        {{ row_before('status') }} over (
            partition by {{ request_identity }} order by started_at, event_id
        ) as previous_status,
        {{ row_before('started_at') }} over (
            partition by {{ request_identity }} order by started_at, event_id
        ) as previous_started_at,
        {{ row_before('latency_ms') }} over (
            partition by {{ request_identity }} order by started_at, event_id
        ) as previous_latency_ms
    from together

),

opened as (

    select
        *,
        case
            when
                previous_status is null
                or previous_status = 'success'
                or started_at > {{ add_hours('previous_started_at', 24) }}
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
        source,
        event_id,
        opens_request,
        call_ordinal,
        case
            when opens_request = 0
                then {{ milliseconds_between('previous_started_at', 'started_at') }} - coalesce(previous_latency_ms, 0)
        end as ms_since_previous_attempt,
        min(usage_date_utc) over (partition by {{ request_identity }}, call_ordinal) as request_date_utc
    from counted

),

placed as (

    select
        attempts.*,
        coalesce(dated.opens_request, 1) as opens_request,
        coalesce(dated.call_ordinal, 1) as call_ordinal,
        case when dated.ms_since_previous_attempt < 0 then 0 else dated.ms_since_previous_attempt end
            as ms_since_previous_attempt,
        coalesce(dated.request_date_utc, attempts.usage_date_utc) as request_date_utc
    from {{ ref('int_usage_events_identified') }} as attempts
    left join dated
        on attempts.source = dated.source
        and attempts.event_id = dated.event_id

),

final as (

    select
        *,
        {{ key_hash([
            'source', 'tenant_id', 'environment', 'data_mode', 'coalesce(external_request_id, event_id)',
            "coalesce(call_name, '')", 'endpoint_tag', 'call_ordinal',
        ]) }} as request_key,
        opens_request = 1 as is_first_attempt,
        opens_request = 0 or coalesce(attempt_number, 1) > 1 as is_retry,
        status = 'success' as is_useful
    from placed

)

select * from final
