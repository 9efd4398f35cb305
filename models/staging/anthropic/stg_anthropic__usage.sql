-- The usage report in the fields of a usage event; the report does not count requests.

{{ config(enabled='anthropic' in provider_bills()) }}

select
    'anthropic' as provider,
    cast(usage_date as date) as usage_date_utc,
    workspace_id as project_id,
    api_key_id,
    {{ lower_case('model') }} as model,
    case
        when {{ lower_case("coalesce(service_tier, '')") }} in ('', 'standard', 'priority_on_demand')
            then 'default'
        when {{ lower_case('service_tier') }} = 'flex_discount' then 'flex'
        else {{ lower_case('service_tier') }}
    end as service_tier,
    case
        when {{ lower_case("coalesce(inference_geo, '')") }} in ('global', 'not_available') then ''
        else {{ lower_case("coalesce(inference_geo, '')") }}
    end as region,
    -- its price steps are above 200,000 tokens
    cast(case when context_window = '200k-1M' then 200001 else 0 end as {{ dbt.type_bigint() }}) as least_input_tokens,
    cast(null as {{ dbt.type_bigint() }}) as requests,
    coalesce(uncached_input_tokens, 0) + coalesce(cache_read_input_tokens, 0)
    + coalesce(cache_creation_5m_input_tokens, 0) + coalesce(cache_creation_1h_input_tokens, 0) as input_tokens,
    output_tokens,
    cache_read_input_tokens as cached_input_tokens,
    coalesce(cache_creation_5m_input_tokens, 0) + coalesce(cache_creation_1h_input_tokens, 0) as cache_write_tokens,
    cache_creation_1h_input_tokens as cache_write_1h_tokens,
    cast(null as {{ dbt.type_bigint() }}) as input_audio_tokens,
    cast(null as {{ dbt.type_bigint() }}) as cached_audio_tokens,
    cast(null as {{ dbt.type_bigint() }}) as output_audio_tokens,
    cast(null as {{ dbt.type_bigint() }}) as input_image_tokens,
    cast(null as {{ dbt.type_bigint() }}) as cached_image_tokens,
    cast(null as {{ dbt.type_bigint() }}) as output_image_tokens
from {{ bill_rows('anthropic', 'usage') }}
where
    _dlt_valid_to is null
    and model is not null
