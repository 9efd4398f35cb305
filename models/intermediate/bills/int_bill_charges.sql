-- Every version of every line of a bill, in dollars. A rule for its text says what it is for, else the bill's own
-- words do.

{% set columns = [
    'provider', 'usage_date_utc', 'project_id', 'api_key_id', 'model', 'line', 'charge_kind', 'amount', 'currency',
    'known_from', 'known_to',
] %}

with unioned as (

    {% for bill in provider_bills() -%}
    select {{ columns | join(', ') }}
    from {{ ref('stg_bills__lines' if bill == 'bill_lines' else 'stg_' ~ bill ~ '__costs') }}

    union all

    {% endfor -%}
    select
        cast(null as {{ dbt.type_string() }}) as provider,
        cast(null as date) as usage_date_utc,
        {{ each_name(columns[2:7], 'cast(null as ' ~ dbt.type_string() ~ ') as <name>') }},
        cast(null as {{ type_money() }}) as amount,
        cast(null as {{ dbt.type_string() }}) as currency,
        cast(null as {{ type_utc_timestamp() }}) as known_from,
        cast(null as {{ type_utc_timestamp() }}) as known_to
    from (select 0 as is_row) as empty_bill
    where is_row = 1

),

texts as (

    select distinct
        provider,
        line
    from unioned

),

matched as (

    select
        texts.provider as provider,
        texts.line as line,
        rules.charge_kind,
        row_number() over (
            partition by texts.provider, texts.line
            order by rules.priority, rules.pattern, rules.charge_kind
        ) as choice
    from texts
    cross join {{ ref('stg_config__bill_line_rules') }} as rules
    where
        coalesce(rules.provider, texts.provider) = texts.provider
        and {{ rule_holds('texts.line', 'rules') }}

),

final as (

    select
        unioned.provider as provider,
        unioned.usage_date_utc,
        unioned.project_id,
        unioned.api_key_id,
        unioned.model,
        unioned.line as line,
        coalesce(matched.charge_kind, unioned.charge_kind) as charge_kind,
        unioned.currency as currency,
        case
            when unioned.currency = 'USD' then {{ money('unioned.amount') }}
            else {{ derived_usd('unioned.amount * fx_rates.usd_per_unit') }}
        end as amount_usd,
        unioned.known_from,
        unioned.known_to
    from unioned
    left join matched
        on unioned.provider = matched.provider
        and unioned.line = matched.line
        and matched.choice = 1
    left join {{ ref('stg_config__fx_rates') }} as fx_rates
        on unioned.currency = fx_rates.currency
        and unioned.usage_date_utc >= fx_rates.valid_from
        and unioned.usage_date_utc < fx_rates.valid_to

)

select * from final
