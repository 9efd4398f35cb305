-- A project or a key can only be compared where both sides tell it: where one call or one charge does not, all of the
-- model's day are taken together.

with named as (

    select
        provider,
        usage_date_utc,
        'tokens' as charge_kind,
        model,
        project_id,
        api_key_id
    from {{ ref('int_bill_sides') }}

    union all

    select
        provider,
        booked_date_utc as usage_date_utc,
        'tokens' as charge_kind,
        model,
        project_id,
        api_key_id
    from {{ ref('int_bill_sides') }}
    where booked_date_utc != usage_date_utc

    union all

    select
        provider,
        usage_date_utc,
        'other_usage' as charge_kind,
        '' as model,
        project_id,
        api_key_id
    from {{ ref('int_bill_sides') }}
    where web_search_cost_usd != 0

    union all

    select
        provider,
        usage_date_utc,
        charge_kind,
        model,
        project_id,
        api_key_id
    from {{ ref('int_bill_amounts') }}
    where charge_kind in ('tokens', 'other_usage')

),

final as (

    select
        provider,
        usage_date_utc,
        charge_kind,
        model,
        count(*) = count(project_id) as has_projects,
        count(*) = count(api_key_id) as has_keys
    from named
    group by provider, usage_date_utc, charge_kind, model

)

select * from final
