select
    provider_id,
    model_id,
    cast(model_ordinal as {{ dbt.type_bigint() }}) as model_ordinal,
    name,
    cast(context_window as {{ dbt.type_bigint() }}) as context_window,
    is_deprecated = 'true' as is_deprecated
from {{ ref('models') }}
