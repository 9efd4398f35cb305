-- The more of model, service tier and usage type a row names, the more specific it is; the most specific one holds.

select
    {{ lower_case('provider_id') }} as provider_id,
    {{ lower_case('model_id') }} as model_id,
    {{ lower_case('service_tier') }} as service_tier,
    {{ lower_case('usage_type') }} as usage_type,
    price as price_text,
    price_unit,
    upper(coalesce(currency, 'USD')) as currency,
    {{ unit_price('price', 'price_unit') }} as unit_price,
    discount_percent as discount_text,
    cast(discount_percent as {{ type_decimal(9, 6) }}) as discount_percent,
    cast(coalesce(valid_from, '1900-01-01') as {{ type_validity_date() }}) as valid_from,
    cast(coalesce(valid_to, '9999-12-31') as {{ type_validity_date() }}) as valid_to,
    case when model_id is null then 0 else 4 end
    + case when service_tier is null then 0 else 2 end
    + case when usage_type is null then 0 else 1 end as specificity,
    note
from {{ config_seed('price_overrides') }}
