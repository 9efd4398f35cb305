-- A line is of tokens where it names a model and no charge type of its own.

{{ config(enabled='bill_lines' in provider_bills()) }}

select
    {{ lower_case('provider') }} as provider,
    cast(usage_date as date) as usage_date_utc,
    project_id,
    api_key_id,
    {{ lower_case('model') }} as model,
    {{ lower_case("coalesce(description, usage_type, charge_type, '')") }} as line,
    case
        when coalesce(charge_type, 'usage') != 'usage' then charge_type
        when model is not null then 'tokens'
        else 'other_usage'
    end as charge_kind,
    case
        when {{ lower_case('usage_type') }} = 'cache_read' then 'cached_input'
        else {{ lower_case('usage_type') }}
    end as usage_type,
    cast(
        case
            when {{ lower_case("coalesce(unit, 'tokens')") }} in ('token', 'tokens') then quantity
            when {{ lower_case('unit') }} in ('1k tokens', '1000 tokens') then quantity * 1000
            when {{ lower_case('unit') }} in ('1m tokens', '1000000 tokens') then quantity * 1000000
        end as {{ dbt.type_bigint() }}
    ) as quantity,
    amount,
    upper(coalesce(currency, 'USD')) as currency,
    cast(_dlt_valid_from as {{ type_utc_timestamp() }}) as known_from,
    cast(_dlt_valid_to as {{ type_utc_timestamp() }}) as known_to
from {{ source('bills', 'lines') }}
