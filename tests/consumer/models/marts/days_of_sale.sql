-- The shop's time spine.

select date_day as sold_on from {{ ref('llm_spend', 'dim_dates') }}
