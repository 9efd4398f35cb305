{#- Fails with the rows in another currency than USD that has no exchange rate yet on the first day they hold.
    `day` is that day as text. -#}
{% test currencies_have_rates(model, rates, day='valid_from') %}
with amounts as (

    select
        *,
        upper(currency) as rated_currency,
        {{ day }} as rated_day
    from {{ model }}
    where
        upper(currency) != 'USD'
        and {{ is_written_as('currency', 'currency') }}

),

first_rates as (

    select
        upper(currency) as rated_currency,
        min(valid_from) as first_day
    from {{ rates }}
    group by upper(currency)

)

select
    amounts.*,
    'currency' as fault_column,
    {{ dbt.concat([
        "'no rate of '",
        'amounts.rated_currency',
        "' on '",
        "coalesce(amounts.rated_day, 'the open beginning')",
    ]) }} as fault
from amounts
left join first_rates
    on amounts.rated_currency = first_rates.rated_currency
where
    first_rates.first_day is null
    or coalesce(amounts.rated_day, '0000-00-00') < first_rates.first_day
{% endtest %}
