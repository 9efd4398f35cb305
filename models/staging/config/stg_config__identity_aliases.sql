-- A merged user is of its new name's type unless its own row says otherwise.

with aliases as (

    select
        identity_type,
        alias,
        coalesce(canonical_id, alias) as canonical_id,
        {{ lower_case('user_type') }} as user_type
    from {{ config_seed('identity_aliases') }}

),

final as (

    select
        aliases.identity_type,
        aliases.alias,
        aliases.canonical_id,
        coalesce(aliases.user_type, canonical.user_type) as user_type
    from aliases
    left join aliases as canonical
        on aliases.identity_type = canonical.identity_type
        and aliases.canonical_id = canonical.alias

)

select * from final
