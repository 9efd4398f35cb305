-- The bill in the words of FinOps FOCUS 1.2, so that the tools of finance read it beside the cloud's. A day and a price
-- are one row for each owner: quantities of one price add up before they are multiplied, and stay exact.

{{ replaces_days(day='usage_date_utc', days='int_touched_days') }}

-- depends_on: {{ ref('int_touched_days') }}

{% set owners = ['tenant_id', 'team', 'cost_group', 'project_id', 'environment', 'data_mode'] %}
{% set charge = ['usage_date_utc', 'provider', 'region_id'] + owners %}
{% set words = [
    'usage_type', 'model_id', 'service_tier', 'list_unit_price', 'unit_price', 'sku_id', 'sku_price_id', 'price_details',
    'meter', 'unit', 'block', 'blocks_per_unit', 'pricing_unit', 'words',
] %}
{% set logged = usage_types().values() | selectattr('field', 'defined') | map(attribute='field') | list %}

with billed as (

    select
        *,
        cost_status = 'provider_reported' as is_reported,
        coalesce(priced_model_id, model) as billed_model,
        nullif(region, '') as region_id,
        input_tokens is null as lacks_input,
        output_tokens is null as lacks_output,
        -- Usage that stands in a json text does not add up: such a call stays alone until it is read.
        case when other_usage is not null then {{ dbt.concat(['source', "' '", 'event_id']) }} end as lone_call
    from {{ ref('fct_llm_attempts') }}
    where
        {{ on_days_of('usage_date_utc', 'int_touched_days') ~ ' and ' if is_incremental() -}}
        cost_status in ('priced', 'partial', 'provider_reported')

),

summed as (

    select
        {{ charge | join(',\n        ') }},
        billed_model,
        is_reported,
        case when not is_reported then price_id end as card_id,
        other_usage,
        {%- for field in logged %}
        {{ sum_count(field) }} as {{ field }},
        {%- endfor %}
        cast(count(*) as {{ dbt.type_bigint() }}) as calls,
        {{ sum_money('cost_usd') }} as cost_usd
    from billed
    group by
        {{ charge | join(', ') }},
        billed_model, is_reported, case when not is_reported then price_id end,
        other_usage, lone_call, lacks_input, lacks_output

),

cards as (

    select
        price_id,
        {{ each_usage_type(["max(case when usage_type = '<type>' then unit_price end) as <type>_unit_price"]) }}
    from {{ ref('dim_model_prices') }}
    group by price_id

),

carded as (

    select
        summed.*,
        {{ each_usage_type(['cards.<type>_unit_price']) }}
    from summed
    inner join cards
        on summed.card_id = cards.price_id

),
{{ billed_quantities('carded') }},

-- Grouped while a call's usage types are still columns: as rows there are several times as many.
charged as (

    select
        {{ charge | join(',\n        ') }},
        card_id,
        {{ focus_tags() }} as tags,
        {{ sum_count('calls') }} as calls,
        {{ each_usage_type([sum_count('<type>_quantity') ~ ' as <type>_quantity']) }}
    from quantities
    group by
        {{ charge | join(', ') }},
        card_id

),

priced_types as (

    select
        price_id,
        usage_type,
        model_id,
        service_tier,
        terms,
        list_unit_price,
        unit_price,
        {{ dbt.concat(['provider_id', "'/'", 'model_id', "'/'", 'usage_type']) }} as sku_id,
        {{ dbt.concat([
            "'/'", 'service_tier',
            "case when speed != '' then " ~ dbt.concat(["'/speed-'", 'speed']) ~ " else '' end",
            "case when region != '' then " ~ dbt.concat(["'/region-'", 'region']) ~ " else '' end",
            "case when min_input_tokens > 0 then "
            ~ dbt.concat(["'/from-'", 'cast(min_input_tokens as ' ~ dbt.type_string() ~ ')', "'-tokens'"]) ~ " else '' end",
            "case when clock_from_minute > 0 or clock_to_minute < 1440 then "
            ~ dbt.concat([
                "'/minutes-'", 'cast(clock_from_minute as ' ~ dbt.type_string() ~ ')',
                "'-'", 'cast(clock_to_minute as ' ~ dbt.type_string() ~ ')',
            ]) ~ " else '' end",
            "case when weekdays != '1111111' then " ~ dbt.concat(["'/weekdays-'", 'weekdays']) ~ " else '' end",
        ]) }} as price_point,
        {{ dbt.concat([
            "'{\"x_ServiceTier\":'", json_text('service_tier'),
            "case when speed != '' then " ~ dbt.concat(["',\"x_Speed\":'", json_text('speed')]) ~ " else '' end",
            "case when region != '' then " ~ dbt.concat(["',\"x_Region\":'", json_text('region')]) ~ " else '' end",
            "case when min_input_tokens > 0 then "
            ~ dbt.concat(["',\"x_FromInputTokens\":\"'", 'cast(min_input_tokens as ' ~ dbt.type_string() ~ ')', "'\"'"])
            ~ " else '' end",
            "case when clock_from_minute > 0 or clock_to_minute < 1440 then "
            ~ dbt.concat([
                "',\"x_Minutes\":\"'", 'cast(clock_from_minute as ' ~ dbt.type_string() ~ ')',
                "'-'", 'cast(clock_to_minute as ' ~ dbt.type_string() ~ ')', "'\"'",
            ]) ~ " else '' end",
            "case when weekdays != '1111111' then " ~ dbt.concat(["',\"x_Weekdays\":\"'", 'weekdays', "'\"'"])
            ~ " else '' end",
            "'}'",
        ]) }} as price_details,
        case usage_type
            {%- for usage_type in usage_types() %}
            when '{{ usage_type }}' then '{{ focus_meter(usage_type) }}'
            {%- endfor %}
        end as meter,
        case usage_type
            {%- for usage_type, about in usage_types().items() %}
            when '{{ usage_type }}' then '{{ focus_unit(about.noun) }}'
            {%- endfor %}
        end as unit,
        case
            when usage_type in {{ usage_types_in('hour') }} then 1
            when terms like '% per 1M %' then 1000000
            when terms like '% per 1K %' then 1000
            else 1
        end as block
    from {{ ref('dim_model_prices') }}

),

worded as (

    select
        price_id,
        usage_type,
        model_id,
        service_tier,
        list_unit_price,
        unit_price,
        sku_id,
        {{ dbt.concat(['sku_id', 'price_point']) }} as sku_price_id,
        price_details,
        meter,
        unit,
        block,
        cast(
            case block when 1000000 then '0.000001' when 1000 then '0.001' else '1' end as {{ type_decimal(7, 6) }}
        ) as blocks_per_unit,
        case block
            when 1000000 then {{ dbt.concat(["'1000000 '", 'unit']) }}
            when 1000 then {{ dbt.concat(["'1000 '", 'unit']) }}
            else unit
        end as pricing_unit,
        {{ dbt.concat(['model_id', "', '", 'meter', "', '", 'terms']) }} as words
    from priced_types

),

lines as (

    select
        {{ columns_of('charged', charge) }},
        charged.tags,
        charged.card_id,
        {{ columns_of('worded', words) }},
        case worded.usage_type
            when 'request' then charged.calls
            {{ each_usage_type(["when '<type>' then charged.<type>_quantity"], '\n            ') }}
        end as quantity
    from charged
    inner join worded
        on charged.card_id = worded.price_id

),

priced as (

    select * from lines
    where quantity > 0

),

reported as (

    select
        {{ charge | join(',\n        ') }},
        billed_model,
        {{ focus_tags() }} as tags,
        {{ sum_money('cost_usd') }} as cost_usd
    from summed
    where is_reported
    group by
        {{ charge | join(', ') }},
        billed_model

),

charges as (

    select
        {{ charge | join(',\n        ') }},
        'Usage' as charge_category,
        model_id as x_model,
        service_tier as x_service_tier,
        usage_type as x_usage_type,
        card_id as x_price_id,
        {{ money(product('quantity', 'unit_price')) }} as cost_usd,
        {{ money(product('quantity', 'list_unit_price')) }} as list_cost,
        {{ money(product('block', 'unit_price')) }} as contracted_unit_price,
        {{ money(product('block', 'list_unit_price')) }} as list_unit_price,
        cast(quantity as {{ type_decimal(28, 6) }}) as consumed_quantity,
        unit as consumed_unit,
        cast({{ product('quantity', 'blocks_per_unit') }} as {{ type_decimal(28, 6) }}) as pricing_quantity,
        pricing_unit,
        sku_id,
        sku_price_id,
        price_details as sku_price_details,
        meter as sku_meter,
        tags,
        words
    from priced

    union all

    select
        {{ charge | join(',\n        ') }},
        'Adjustment' as charge_category,
        billed_model as x_model,
        cast(null as {{ dbt.type_string() }}) as x_service_tier,
        'reported' as x_usage_type,
        cast(null as {{ dbt.type_string() }}) as x_price_id,
        cost_usd,
        cost_usd as list_cost,
        {{ money('null') }} as contracted_unit_price,
        {{ money('null') }} as list_unit_price,
        cast(null as {{ type_decimal(28, 6) }}) as consumed_quantity,
        cast(null as {{ dbt.type_string() }}) as consumed_unit,
        cast(null as {{ type_decimal(28, 6) }}) as pricing_quantity,
        cast(null as {{ dbt.type_string() }}) as pricing_unit,
        cast(null as {{ dbt.type_string() }}) as sku_id,
        cast(null as {{ dbt.type_string() }}) as sku_price_id,
        cast(null as {{ dbt.type_string() }}) as sku_price_details,
        cast(null as {{ dbt.type_string() }}) as sku_meter,
        tags,
        {{ dbt.concat(['billed_model', "', cost as the client or gateway reported it'"]) }} as words
    from reported

),

-- FOCUS says null where there is nothing to say, and has no word for it.
owned as (

    select
        usage_date_utc,
        cast({{ dbt.date_trunc('month', 'usage_date_utc') }} as date) as month_start_date,
        provider,
        region_id,
        {%- for owner in owners %}
        nullif({{ owner }}, {{ unattributed() }}) as {{ owner if owner == 'project_id' else 'x_' ~ owner }},
        {%- endfor %}
        charge_category,
        x_model,
        x_service_tier,
        x_usage_type,
        x_price_id,
        cost_usd,
        list_cost,
        contracted_unit_price,
        list_unit_price,
        consumed_quantity,
        consumed_unit,
        pricing_quantity,
        pricing_unit,
        sku_id,
        sku_price_id,
        sku_price_details,
        sku_meter,
        tags,
        words
    from charges

),

named as (

    select
        owned.*,
        coalesce(providers.name, owned.provider) as provider_name
    from owned
    left join {{ ref('stg_prices__providers') }} as providers
        on owned.provider = providers.provider_id

),

final as (

    select
        cost_usd as billed_cost,
        provider as billing_account_id,
        provider_name as billing_account_name,
        'USD' as billing_currency,
        cast(
            cast({{ dbt.date_trunc('month', add_days('month_start_date', 32)) }} as date) as {{ type_utc_timestamp() }}
        ) as billing_period_end,
        cast(month_start_date as {{ type_utc_timestamp() }}) as billing_period_start,
        charge_category,
        cast(null as {{ dbt.type_string() }}) as charge_class,
        {{ dbt.concat(['provider_name', "' '", 'words']) }} as charge_description,
        'Usage-Based' as charge_frequency,
        cast({{ add_days('usage_date_utc', 1) }} as {{ type_utc_timestamp() }}) as charge_period_end,
        cast(usage_date_utc as {{ type_utc_timestamp() }}) as charge_period_start,
        consumed_quantity,
        consumed_unit,
        cost_usd as contracted_cost,
        contracted_unit_price,
        cost_usd as effective_cost,
        provider_name as invoice_issuer_name,
        list_cost,
        list_unit_price,
        case when charge_category = 'Usage' then 'Standard' end as pricing_category,
        pricing_quantity,
        pricing_unit,
        provider_name,
        provider_name as publisher_name,
        region_id,
        region_id as region_name,
        'AI and Machine Learning' as service_category,
        {{ dbt.concat(['provider_name', "' API'"]) }} as service_name,
        'Generative AI' as service_subcategory,
        sku_id,
        sku_meter,
        sku_price_details,
        sku_price_id,
        project_id as sub_account_id,
        project_id as sub_account_name,
        case when project_id is not null then 'Project' end as sub_account_type,
        tags,
        x_cost_group,
        x_data_mode,
        x_environment,
        x_model,
        x_price_id,
        x_service_tier,
        x_team,
        x_tenant_id,
        x_usage_type,
        usage_date_utc
    from named

)

select * from final
