-- A charge belongs to the months it is for, by their days.

with months as (

    select distinct
        month_start_date,
        next_month_start_date
    from {{ ref('dim_dates') }}

),

parts as (

    select
        charges.charge_id,
        months.month_start_date as usage_month,
        charges.charge_type,
        charges.provider,
        charges.allocation_method,
        charges.tenant_id,
        charges.amount_usd as charge_usd,
        charges.valid_from,
        charges.valid_to,
        greatest(charges.valid_from, months.month_start_date) as part_from,
        least(charges.valid_to, months.next_month_start_date) as part_to
    from {{ ref('stg_config__fixed_charges') }} as charges
    cross join months
    where
        charges.valid_from < months.next_month_start_date
        and charges.valid_to > months.month_start_date

),

measured as (

    select
        *,
        {{ days_between('part_from', 'part_to') }} as part_days,
        {{ days_between('valid_from', 'valid_to') }} as charge_days
    from parts

),

rounded as (

    select
        *,
        {{ derived_usd('charge_usd * (' ~ ratio('part_days', 'charge_days') ~ ')') }} as rounded_usd,
        row_number() over (partition by charge_id order by part_days desc, usage_month desc) as length_rank
    from measured

),

-- What rounding leaves goes to the longest month, the last of those: the months add up to the charge exactly.
settled as (

    select
        *,
        charge_usd - sum(rounded_usd) over (partition by charge_id) as residue_usd
    from rounded

),

final as (

    select
        charge_id,
        usage_month,
        charge_type,
        provider,
        allocation_method,
        tenant_id,
        {{ money('rounded_usd + case when length_rank = 1 then residue_usd else 0 end') }} as amount_usd
    from settled

)

select * from final
