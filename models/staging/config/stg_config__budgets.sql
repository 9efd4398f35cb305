-- A budget holds in [valid_from, valid_to); the caps of the key registry are budgets too.

with declared as (

    select
        scope_type,
        case when scope_type = 'total' then 'total' else scope_id end as scope_id,
        period,
        {{ money('amount_usd') }} as amount_usd,
        cast(valid_from as date) as valid_from,
        cast(coalesce(valid_to, '9999-12-31') as date) as valid_to,
        cast(coalesce(warning_ratio, '0.8') as {{ type_unit_price() }}) as warning_ratio,
        upper(coalesce(currency, 'USD')) as currency,
        owner
    from {{ config_seed('budgets') }}

),

key_caps as (

    select
        'api_key' as scope_type,
        api_key_id as scope_id,
        'monthly' as period,
        monthly_cap_usd as amount_usd,
        cast('2020-01-01' as date) as valid_from,
        cast('9999-12-31' as date) as valid_to,
        cast('0.8' as {{ type_unit_price() }}) as warning_ratio,
        'USD' as currency,
        owner
    from {{ ref('stg_config__key_registry') }}
    where monthly_cap_usd is not null

),

final as (

    select * from declared
    union all
    select * from key_caps

)

select * from final
