-- The usage reports in the fields of a usage event. Usage without a model is no call: the bill alone has it. A call
-- that searched the web stands in two reports.

{{ config(enabled='openai' in provider_bills()) }}

select
    'openai' as provider,
    cast(usage_date as date) as usage_date_utc,
    project_id,
    api_key_id,
    {{ lower_case('model') }} as model,
    case
        when batch then 'batch'
        when {{ lower_case("coalesce(service_tier, '')") }} in ('', 'auto', 'default', 'standard')
            then 'default'
        else {{ lower_case('service_tier') }}
    end as service_tier,
    '' as region,
    cast(0 as {{ dbt.type_bigint() }}) as least_input_tokens,
    num_model_requests as requests,
    input_tokens,
    output_tokens,
    input_cached_tokens as cached_input_tokens,
    input_cache_write_tokens as cache_write_tokens,
    cast(null as {{ dbt.type_bigint() }}) as cache_write_1h_tokens,
    input_audio_tokens,
    input_cached_audio_tokens as cached_audio_tokens,
    output_audio_tokens,
    input_image_tokens,
    input_cached_image_tokens as cached_image_tokens,
    output_image_tokens
from {{ bill_rows('openai', 'usage') }}
where
    _dlt_valid_to is null
    and model is not null
    and usage_kind != 'web_search_calls'
