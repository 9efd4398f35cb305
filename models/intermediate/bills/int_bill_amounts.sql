-- What is billed now, and what has changed since the bill was final.

with charges as (

    select
        charges.provider as provider,
        charges.usage_date_utc as usage_date_utc,
        charges.charge_kind as charge_kind,
        charges.project_id,
        charges.api_key_id,
        case
            when charges.charge_kind = 'tokens' then coalesce(models.priced_model_id, charges.model, '')
            else ''
        end as model,
        case when charges.known_to is null then charges.amount_usd else 0 end as billed_cost_usd,
        case
            when
                charges.known_from < bill_days.final_from
                and coalesce(charges.known_to, bill_days.final_from) >= bill_days.final_from
                then charges.amount_usd
            else 0
        end as final_cost_usd,
        min(charges.known_from) over (
            partition by charges.provider, charges.usage_date_utc
        ) < bill_days.final_from as was_known_in_time
    from {{ ref('int_bill_charges') }} as charges
    inner join {{ ref('int_bill_days') }} as bill_days
        on charges.provider = bill_days.provider
        and charges.usage_date_utc = bill_days.usage_date_utc
    left join {{ ref('int_models_resolved') }} as models
        on charges.provider = models.provider
        and charges.model = models.model

),

final as (

    select
        provider,
        usage_date_utc,
        charge_kind,
        project_id,
        api_key_id,
        model,
        {{ sum_money('billed_cost_usd') }} as billed_cost_usd,
        {{ sum_money('case when was_known_in_time then billed_cost_usd - final_cost_usd else 0 end') }} as revised_usd
    from charges
    group by provider, usage_date_utc, charge_kind, project_id, api_key_id, model

)

select * from final
