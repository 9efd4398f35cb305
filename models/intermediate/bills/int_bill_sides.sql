-- What our attempts used and what the provider counted, side by side in one form. Our names of a model and the
-- provider's are one where the price book says so. Some providers book a call on the day on which it ended: whichever
-- day brings both sides closer is the one that all of a provider's calls are compared on.

{% set fields = bill_token_fields() %}

with attempts as (

    select
        attempts.provider as provider,
        attempts.usage_date_utc as usage_date_utc,
        case
            when {{ milliseconds_between(
                'attempts.started_at', 'cast(' ~ add_days('attempts.usage_date_utc', 1) ~ ' as ' ~ type_utc_timestamp() ~ ')'
            ) }} <= coalesce(attempts.latency_ms, 0)
                then {{ add_days('attempts.usage_date_utc', 1) }}
            else attempts.usage_date_utc
        end as end_date_utc,
        nullif(attempts.project_id, '') as known_project_id,
        nullif(attempts.api_key_id, '') as known_key_id,
        coalesce(attempts.priced_model_id, {{ lower_case('attempts.model') }}) as known_model,
        attempts.service_tier as service_tier,
        attempts.price_id as price_id,
        attempts.web_search_requests,
        attempts.cost_usd,
        {{ each_name(fields, 'attempts.<name>') }}
    from {{ ref('fct_llm_attempts') }} as attempts
    where
        attempts.cost_status != 'not_billed'
        and attempts.provider in (select bill_days.provider from {{ ref('int_bill_days') }} as bill_days)

),

billed_attempts as (

    select attempts.*
    from attempts
    left join {{ ref('int_bill_days') }} as start_days
        on attempts.provider = start_days.provider
        and attempts.usage_date_utc = start_days.usage_date_utc
    left join {{ ref('int_bill_days') }} as end_days
        on attempts.provider = end_days.provider
        and attempts.end_date_utc = end_days.usage_date_utc
    where
        start_days.provider is not null
        or end_days.provider is not null

),

attempts_grouped as (

    select
        provider,
        usage_date_utc,
        end_date_utc,
        known_project_id as project_id,
        known_key_id as api_key_id,
        known_model as model,
        service_tier,
        price_id,
        cast(count(*) as {{ dbt.type_bigint() }}) as requests,
        {{ sum_count('web_search_requests') }} as web_search_requests,
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ each_name(fields, sum_count('<name>') ~ ' as <name>') }}
    from billed_attempts
    group by
        provider,
        usage_date_utc,
        end_date_utc,
        known_project_id,
        known_key_id,
        known_model,
        service_tier,
        price_id

),

carded as (

    select
        'ours' as side,
        attempts.provider as provider,
        attempts.usage_date_utc as usage_date_utc,
        attempts.end_date_utc as end_date_utc,
        attempts.project_id,
        attempts.api_key_id,
        attempts.model as model,
        attempts.service_tier as service_tier,
        attempts.requests,
        attempts.web_search_requests,
        attempts.cost_usd,
        {{ each_name(fields, 'attempts.<name>') }},
        {{ each_usage_type(['cards.<type>_unit_price']) }}
    from attempts_grouped as attempts
    left join {{ ref('int_rate_cards') }} as cards
        on attempts.price_id = cards.price_id

    union all

    select
        'theirs' as side,
        bill_usage.provider as provider,
        bill_usage.usage_date_utc as usage_date_utc,
        bill_usage.usage_date_utc as end_date_utc,
        bill_usage.project_id,
        bill_usage.api_key_id,
        coalesce(models.priced_model_id, bill_usage.model) as model,
        bill_usage.service_tier as service_tier,
        bill_usage.requests,
        cast(null as {{ dbt.type_bigint() }}) as web_search_requests,
        cast(null as {{ type_money() }}) as cost_usd,
        {{ each_name(fields, 'bill_usage.<name>') }},
        {{ each_usage_type(['cards.<type>_unit_price']) }}
    from {{ ref('int_bill_usage') }} as bill_usage
    inner join {{ ref('int_bill_days') }} as bill_days
        on bill_usage.provider = bill_days.provider
        and bill_usage.usage_date_utc = bill_days.usage_date_utc
    left join {{ ref('int_models_resolved') }} as models
        on bill_usage.provider = models.provider
        and bill_usage.model = models.model
    -- at noon, where the price depends on the hour
    left join {{ ref('int_rate_cards_referenced') }} as cards
        on bill_usage.provider = cards.provider
        and bill_usage.model = cards.model
        and bill_usage.service_tier = cards.service_tier
        and cards.speed = ''
        and bill_usage.region = cards.region
        and bill_usage.usage_date_utc >= cards.valid_from
        and bill_usage.usage_date_utc < cards.valid_to
        and 720 >= cards.clock_from_minute
        and 720 < cards.clock_to_minute
        and {{ is_weekday_in('bill_usage.usage_date_utc', 'cards.weekdays') }}
        and bill_usage.least_input_tokens between cards.min_input_tokens and cards.max_input_tokens

),

counted as (

    select
        *,
        cast(null as {{ dbt.type_bigint() }}) as reasoning_tokens,
        cast(null as {{ dbt.type_string() }}) as other_usage
    from carded

),
{{ billed_quantities('counted') }},

directed as (

    select
        *,
        case when side = 'theirs' then 1 else -1 end as direction,
        max(case when side = 'theirs' and requests is not null then 1 else 0 end) over (
            partition by provider
        ) as counts_requests
    from quantities

),

sized as (

    select
        *,
        direction * case
            when counts_requests = 1 then coalesce(requests, 0)
            else coalesce(input_tokens, 0) + coalesce(output_tokens, 0)
        end as surplus
    from directed

),

surpluses as (

    select
        provider,
        project_id,
        api_key_id,
        model,
        usage_date_utc as date_utc,
        surplus as by_start,
        0 as by_end
    from sized

    union all

    select
        provider,
        project_id,
        api_key_id,
        model,
        end_date_utc as date_utc,
        0 as by_start,
        surplus as by_end
    from sized

),

key_days as (

    select
        provider,
        project_id,
        api_key_id,
        model,
        date_utc,
        abs(sum(by_start)) as by_start,
        abs(sum(by_end)) as by_end
    from surpluses
    group by provider, project_id, api_key_id, model, date_utc

),

bookings as (

    select
        provider,
        sum(by_end) < sum(by_start) as is_by_end
    from key_days
    group by provider

),

final as (

    select
        sized.side,
        sized.provider as provider,
        sized.usage_date_utc,
        case when bookings.is_by_end then sized.end_date_utc else sized.usage_date_utc end as booked_date_utc,
        sized.project_id,
        sized.api_key_id,
        sized.model as model,
        sized.service_tier,
        sized.requests,
        sized.cost_usd,
        {{ money(product('sized.web_search_quantity', 'coalesce(sized.web_search_unit_price, 0)')) }}
            as web_search_cost_usd,
        {{ each_name(
            bill_usage_types(), 'cast(sized.<name>_quantity as ' ~ dbt.type_bigint() ~ ') as <name>_quantity'
        ) }},
        {{ each_name(bill_usage_types(), 'sized.<name>_unit_price as <name>_unit_price') }}
    from sized
    inner join bookings
        on sized.provider = bookings.provider

)

select * from final
