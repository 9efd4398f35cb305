select
    provider_id,
    cast(fallback_ordinal as {{ dbt.type_bigint() }}) as fallback_ordinal,
    fallback_provider_id
from {{ ref('provider_fallbacks') }}
