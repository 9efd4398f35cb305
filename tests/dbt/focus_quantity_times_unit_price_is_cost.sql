-- FOCUS 1.2: pricing quantity times a unit price is the cost, here to the last digit.

-- Dagster shows a test of several models as a check of the one named here.
{{ config(meta={'dagster': {'ref': {'name': 'focus_cost_and_usage'}}}) }}

{% set quantity = 'cast(pricing_quantity as ' ~ type_decimal(18, 6) ~ ')' %}

with products as (

    select
        *,
        {{ product(quantity, 'cast(list_unit_price as ' ~ type_decimal(18, 12) ~ ')', decimals=18) }} as list_product,
        {{ product(quantity, 'cast(contracted_unit_price as ' ~ type_decimal(18, 12) ~ ')', decimals=18) }}
            as contracted_product
    from {{ ref('focus_cost_and_usage') }}
    where charge_category = 'Usage'

)

select * from products
where
    list_product != list_cost
    or contracted_product != contracted_cost
    or effective_cost != contracted_cost
    or billed_cost != effective_cost
