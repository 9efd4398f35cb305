-- Names and settings that every attempt depends on. Another alias or time zone makes every day a changed day.

with settings as (

    select '{{ attempts_version() }} {{ var('reporting_timezone', 'UTC') }} {{ cost_source() }}' as setting

    union all

    select {{ dbt.concat(["'endpoint '", 'alias', "' '", 'endpoint_tag']) }} as setting
    from {{ ref('stg_config__endpoint_aliases') }}

    union all

    select
        {{ dbt.concat([
            'identity_type', "' '", 'alias', "' '", 'canonical_id', "' '", "coalesce(user_type, '')",
        ]) }} as setting
    from {{ ref('stg_config__identity_aliases') }}

    union all

    select
        {{ dbt.concat([
            "'key '", 'api_key_id', "' '", "coalesce(project_id, '')", "' '", "coalesce(team, '')", "' '",
            "coalesce(environment, '')",
        ]) }} as setting
    from {{ ref('stg_config__key_registry') }}

),

final as (

    select {{ dbt.hash(sorted_list('setting', "'|'")) }} as configuration_hash
    from settings

)

select * from final
