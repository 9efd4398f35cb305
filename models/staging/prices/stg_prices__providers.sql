select
    provider_id,
    cast(provider_ordinal as {{ dbt.type_bigint() }}) as provider_ordinal,
    name,
    pricing_url
from {{ ref('providers') }}
