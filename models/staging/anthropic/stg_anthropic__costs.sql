-- The cost report in dollars: its amounts are cents. It knows no API keys.

{{ config(enabled='anthropic' in provider_bills()) }}

select
    'anthropic' as provider,
    cast(usage_date as date) as usage_date_utc,
    workspace_id as project_id,
    cast(null as {{ dbt.type_string() }}) as api_key_id,
    {{ lower_case('model') }} as model,
    {{ lower_case("coalesce(description, cost_type, '')") }} as line,
    case when coalesce(cost_type, 'tokens') = 'tokens' and model is not null then 'tokens' else 'other_usage' end
        as charge_kind,
    {{ money(
        'cast(amount_cents as ' ~ type_decimal(30, 14) ~ ") * cast('0.01' as " ~ type_decimal(3, 2) ~ ')'
    ) }} as amount,
    upper(currency) as currency,
    cast(_dlt_valid_from as {{ type_utc_timestamp() }}) as known_from,
    cast(_dlt_valid_to as {{ type_utc_timestamp() }}) as known_to
from {{ bill_rows('anthropic', 'costs') }}
