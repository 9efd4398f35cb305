select
    cast(coalesce(priority, '1') as {{ dbt.type_bigint() }}) as priority,
    lower(provider) as provider,
    lower(coalesce(kind, 'equals')) as kind,
    lower(pattern) as pattern,
    provider_id,
    model_id,
    false as is_negated
from {{ ref('model_aliases') }}
