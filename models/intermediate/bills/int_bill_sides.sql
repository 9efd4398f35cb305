-- What our attempts used and what the provider counted, side by side in one form. Our names of a model and the
-- provider's are one where the price book says so.

{% set fields = bill_token_fields() %}

with attempts as (

    select
        attempts.provider as provider,
        attempts.usage_date_utc as usage_date_utc,
        nullif(attempts.project_id, '') as project_id,
        nullif(attempts.api_key_id, '') as api_key_id,
        coalesce(attempts.priced_model_id, {{ lower_case('attempts.model') }}) as model,
        attempts.service_tier as service_tier,
        attempts.price_id as price_id,
        attempts.web_search_requests,
        attempts.cost_usd,
        case
            when {{ milliseconds_between(
                'attempts.started_at', 'cast(' ~ add_days('attempts.usage_date_utc', 1) ~ ' as ' ~ type_utc_timestamp() ~ ')'
            ) }} <= coalesce(attempts.latency_ms, 0)
                then attempts.cost_usd
        end as past_midnight_usd,
        {{ each_name(fields, 'attempts.<name> as <name>') }}
    from {{ ref('fct_llm_attempts') }} as attempts
    inner join {{ ref('int_bill_days') }} as days
        on attempts.provider = days.provider
        and attempts.usage_date_utc = days.usage_date_utc
    where attempts.cost_status != 'not_billed'

),

attempts_grouped as (

    select
        provider,
        usage_date_utc,
        project_id,
        api_key_id,
        model,
        service_tier,
        price_id,
        cast(count(*) as {{ dbt.type_bigint() }}) as requests,
        {{ sum_count('web_search_requests') }} as web_search_requests,
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ sum_money('past_midnight_usd') }} as past_midnight_usd,
        {{ each_name(fields, sum_count('<name>') ~ ' as <name>') }}
    from attempts
    group by provider, usage_date_utc, project_id, api_key_id, model, service_tier, price_id

),

carded as (

    select
        'ours' as side,
        attempts.provider as provider,
        attempts.usage_date_utc as usage_date_utc,
        attempts.project_id,
        attempts.api_key_id,
        attempts.model as model,
        attempts.service_tier as service_tier,
        attempts.requests,
        attempts.web_search_requests,
        attempts.cost_usd,
        attempts.past_midnight_usd,
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
        bill_usage.project_id,
        bill_usage.api_key_id,
        coalesce(models.priced_model_id, bill_usage.model) as model,
        bill_usage.service_tier as service_tier,
        bill_usage.requests,
        cast(null as {{ dbt.type_bigint() }}) as web_search_requests,
        cast(null as {{ type_money() }}) as cost_usd,
        cast(null as {{ type_money() }}) as past_midnight_usd,
        {{ each_name(fields, 'bill_usage.<name>') }},
        {{ each_usage_type(['cards.<type>_unit_price']) }}
    from {{ ref('int_bill_usage') }} as bill_usage
    inner join {{ ref('int_bill_days') }} as days
        on bill_usage.provider = days.provider
        and bill_usage.usage_date_utc = days.usage_date_utc
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

final as (

    select
        side,
        provider,
        usage_date_utc,
        project_id,
        api_key_id,
        model,
        service_tier,
        requests,
        cost_usd,
        past_midnight_usd,
        {{ money(product('web_search_quantity', 'coalesce(web_search_unit_price, 0)')) }} as web_search_cost_usd,
        {{ each_name(
            bill_usage_types(), 'cast(<name>_quantity as ' ~ dbt.type_bigint() ~ ') as <name>_quantity'
        ) }},
        {{ each_name(bill_usage_types(), '<name>_unit_price') }}
    from quantities

)

select * from final
