select
    identity_type,
    alias,
    coalesce(canonical_id, alias) as canonical_id,
    lower(user_type) as user_type
from {{ config_seed('identity_aliases') }}
