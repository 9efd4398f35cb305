select
    cast(coalesce(priority, '1') as {{ dbt.type_bigint() }}) as priority,
    {{ lower_case('provider') }} as provider,
    {{ lower_case("coalesce(kind, 'equals')") }} as kind,
    {{ lower_case('pattern') }} as pattern,
    provider_id,
    model_id,
    false as is_negated
from {{ config_seed('model_aliases') }}
