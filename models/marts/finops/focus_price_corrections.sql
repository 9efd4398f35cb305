-- A month that was told stays as it was told: what a later price changed in it is taken out of that month and charged,
-- as a correction, in the month that found it. Both sides together are nothing: the bill as a whole is not touched.

with moved as (

    select
        usage_date_utc,
        cast({{ dbt.date_trunc('month', 'usage_date_utc') }} as date) as told_month,
        cast({{ dbt.date_trunc('month', 'restated_at') }} as date) as restated_month,
        provider,
        model,
        moved_usd
    from {{ ref('price_restatements') }}

),

closed as (

    select * from moved
    where told_month < restated_month

),

sides as (

    select
        usage_date_utc,
        provider,
        model,
        told_month as month_start_date,
        {{ money('-moved_usd') }} as moved_usd,
        cast(null as {{ dbt.type_string() }}) as charge_class,
        'later price change, taken out of the month that was told' as words
    from closed

    union all

    select
        usage_date_utc,
        provider,
        model,
        restated_month as month_start_date,
        moved_usd,
        'Correction' as charge_class,
        'correction of a closed month after a price change' as words
    from closed

),

summed as (

    select
        usage_date_utc,
        provider,
        model,
        month_start_date,
        charge_class,
        words,
        {{ sum_money('moved_usd') }} as cost_usd
    from sides
    group by usage_date_utc, provider, model, month_start_date, charge_class, words

),

named as (

    select
        summed.*,
        coalesce(providers.name, summed.provider) as provider_name
    from summed
    left join {{ ref('stg_prices__providers') }} as providers
        on summed.provider = providers.provider_id
    where summed.cost_usd != 0

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
        'Adjustment' as charge_category,
        charge_class,
        {{ dbt.concat(['provider_name', "' '", 'model', "', '", 'words']) }} as charge_description,
        'One-Time' as charge_frequency,
        cast({{ add_days('usage_date_utc', 1) }} as {{ type_utc_timestamp() }}) as charge_period_end,
        cast(usage_date_utc as {{ type_utc_timestamp() }}) as charge_period_start,
        cast(null as {{ type_decimal(28, 6) }}) as consumed_quantity,
        cast(null as {{ dbt.type_string() }}) as consumed_unit,
        cost_usd as contracted_cost,
        {{ money('null') }} as contracted_unit_price,
        cost_usd as effective_cost,
        provider_name as invoice_issuer_name,
        cost_usd as list_cost,
        {{ money('null') }} as list_unit_price,
        cast(null as {{ dbt.type_string() }}) as pricing_category,
        cast(null as {{ type_decimal(28, 6) }}) as pricing_quantity,
        cast(null as {{ dbt.type_string() }}) as pricing_unit,
        provider_name,
        provider_name as publisher_name,
        {% for column in ['region_id', 'region_name'] -%}
        cast(null as {{ dbt.type_string() }}) as {{ column }},
        {% endfor -%}
        'AI and Machine Learning' as service_category,
        {{ dbt.concat(['provider_name', "' API'"]) }} as service_name,
        'Generative AI' as service_subcategory,
        {% for column in [
            'sku_id', 'sku_meter', 'sku_price_details', 'sku_price_id', 'sub_account_id', 'sub_account_name',
            'sub_account_type', 'tags', 'x_cost_group', 'x_data_mode', 'x_environment',
        ] -%}
        cast(null as {{ dbt.type_string() }}) as {{ column }},
        {% endfor -%}
        model as x_model,
        {% for column in ['x_price_id', 'x_service_tier', 'x_team', 'x_tenant_id'] -%}
        cast(null as {{ dbt.type_string() }}) as {{ column }},
        {% endfor -%}
        'price_correction' as x_usage_type,
        usage_date_utc
    from named

)

select * from final
