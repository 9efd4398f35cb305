-- Who a call was for stands in its trace, which is written again whenever something of it changes.

{{ config(enabled='langfuse' in usage_sources()) }}

with versions as (

    select
        *,
        row_number() over (
            partition by id
            order by
                coalesce(updated_at, cast('1970-01-01' as {{ type_utc_timestamp() }})) desc,
                coalesce(name, ''),
                coalesce(user_id, '')
        ) as version_rank
    from {{ source('langfuse', 'traces') }}

),

final as (

    select
        id as trace_id,
        nullif(name, '') as trace_name,
        nullif(user_id, '') as user_id,
        nullif(session_id, '') as session_id,
        nullif(tags, '[]') as tags,
        nullif(release, '') as release_name,
        nullif(environment, '') as environment,
        {{ json_value("nullif(metadata, '')", 'tenant') }} as tenant_id,
        {{ json_value("nullif(metadata, '')", 'feature') }} as feature_name,
        {{ json_value("nullif(metadata, '')", 'endpoint') }} as endpoint_tag
    from versions
    where
        version_rank = 1
        and not coalesce(is_deleted, false)

)

select * from final
