select
    provider_id,
    model_id,
    speed,
    region,
    cast(multiplier as {{ type_decimal(9, 6) }}) as multiplier,
    multiplier as multiplier_text,
    cast(coalesce(valid_from, '1900-01-01') as {{ type_validity_date() }}) as valid_from,
    cast(coalesce(valid_to, '9999-12-31') as {{ type_validity_date() }}) as valid_to
from {{ ref('price_multipliers') }}
