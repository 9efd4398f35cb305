-- A line item of tokens names its model: `gpt-4.1-2025-04-14, cached input`, `priority | gpt-5.2, output, long
-- context`, `gpt-audio-mini audio, input`, or the model alone. Any other is a text of several words.

{{ config(enabled='openai' in provider_bills()) }}

with lines as (

    select
        *,
        {{ lower_case('line_item') }} as line,
        case
            when {{ dbt.position("' | '", 'line_item') }} > 0
                then {{ text_part(lower_case('line_item'), dbt.position("' | '", 'line_item') ~ ' + 3') }}
            else {{ lower_case('line_item') }}
        end as item
    from {{ bill_rows('openai', 'costs') }}

),

headed as (

    select
        *,
        {{ dbt.position("','", 'item') }} > 0 or {{ dbt.position("' '", 'item') }} = 0 as names_a_model,
        case
            when {{ dbt.position("','", 'item') }} > 0
                then {{ text_part('item', 1, dbt.position("','", 'item') ~ ' - 1') }}
            else item
        end as head
    from lines

),

final as (

    select
        'openai' as provider,
        cast(usage_date as date) as usage_date_utc,
        project_id,
        api_key_id,
        case when names_a_model then {{ text_word('head', 1) }} end as model,
        line,
        case when names_a_model then 'tokens' else 'other_usage' end as charge_kind,
        amount,
        upper(currency) as currency,
        cast(_dlt_valid_from as {{ type_utc_timestamp() }}) as known_from,
        cast(_dlt_valid_to as {{ type_utc_timestamp() }}) as known_to
    from headed

)

select * from final
