-- The attempts of this run beside those of other days that share a request id with them, each with the id it is
-- grouped by.

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

final as (

    select
        *,
        coalesce(external_request_id, event_id) as logical_id,
        coalesce(call_name, '') as logical_call
    from attempts

)

select * from final
