-- A budget holds in [valid_from, valid_to); the caps of the key registry are budgets too, of all traffic, as providers
-- count it. One in another currency is worth other dollars from each day on which its rate changes.

{% set thresholds = [] %}
{% for place in range(1, most_thresholds() + 1) %}
    {% do thresholds.append(
        "cast(nullif(" ~ text_word('warning_ratios', place) ~ ", '') as " ~ type_unit_price() ~ ") as " ~ threshold_column(place)
    ) %}
{% endfor %}
{% set attributes = ['traffic', 'budget_kind', 'valid_from', 'valid_to', 'warning_ratios', 'currency', 'owner'] %}

with declared as (

    select
        scope_type,
        case when scope_type = 'total' then 'total' else scope_id end as scope_id,
        period,
        amount_usd as amount_text,
        cast(valid_from as {{ type_validity_date() }}) as valid_from,
        cast(coalesce(valid_to, '9999-12-31') as {{ type_validity_date() }}) as valid_to,
        coalesce(traffic, 'in_scope') as traffic,
        coalesce(budget_kind, 'internal') as budget_kind,
        coalesce(warning_ratio, '0.8') as warning_ratios,
        upper(coalesce(currency, 'USD')) as currency,
        owner
    from {{ config_seed('budgets') }}

),

in_dollars as (

    select
        scope_type,
        scope_id,
        period,
        {{ money('amount_text') }} as amount_usd,
        {{ attributes | join(',\n        ') }}
    from declared
    where currency = 'USD'

),

-- Without any rate the amount is unknown, which a test refuses.
in_other_currencies as (

    select
        declared.scope_type,
        declared.scope_id,
        declared.period,
        {{ derived_usd(product(
            'cast(declared.amount_text as ' ~ type_decimal(18, 6) ~ ')', 'fx_rates.usd_per_unit', decimals=18
        )) }} as amount_usd,
        declared.traffic,
        declared.budget_kind,
        greatest(declared.valid_from, coalesce(fx_rates.valid_from, declared.valid_from)) as valid_from,
        least(declared.valid_to, coalesce(fx_rates.valid_to, declared.valid_to)) as valid_to,
        declared.warning_ratios,
        declared.currency,
        declared.owner
    from declared
    left join {{ ref('stg_config__fx_rates') }} as fx_rates
        on declared.currency = fx_rates.currency
        and declared.valid_from < fx_rates.valid_to
        and declared.valid_to > fx_rates.valid_from
    where declared.currency != 'USD'

),

key_caps as (

    select
        'api_key' as scope_type,
        api_key_id as scope_id,
        'monthly' as period,
        monthly_cap_usd as amount_usd,
        'all' as traffic,
        'internal' as budget_kind,
        cast('2020-01-01' as date) as valid_from,
        cast('9999-12-31' as {{ type_validity_date() }}) as valid_to,
        '0.8' as warning_ratios,
        'USD' as currency,
        owner
    from {{ ref('stg_config__key_registry') }}
    where monthly_cap_usd is not null

),

budgets as (

    select * from in_dollars
    union all
    select * from in_other_currencies
    union all
    select * from key_caps

),

final as (

    select
        scope_type,
        scope_id,
        period,
        amount_usd,
        {{ (attributes + thresholds) | join(',\n        ') }}
    from budgets

)

select * from final
