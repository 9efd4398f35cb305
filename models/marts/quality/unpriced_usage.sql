-- What the bill above does not contain: calls whose cost is unknown, by the name the log gave the model. And what a
-- person needs to price them: known models of a like name, and the lines to add to price_overrides.csv.

{% set compared_characters = 60 %}

with carded as (

    select
        attempts.*,
        {%- for usage_type in usage_types() %}
        cards.{{ usage_type }}_unit_price,
        {%- endfor %}
        coalesce(cards.input_unit_price, cards.output_unit_price) is not null or cards.price_id is null
            as is_billed_by_tokens
    from {{ ref('fct_llm_attempts') }} as attempts
    left join {{ ref('int_rate_cards') }} as cards
        on attempts.price_id = cards.price_id
    where attempts.cost_status in ('unpriced', 'usage_missing', 'partial')

),
{{ billed_quantities('carded') }},

lacking as (

    select
        *,
        {%- for usage_type in quoted_usage_types() %}
        cost_status != 'usage_missing'
        and {{ usage_type }}_quantity > 0
        and {{ usage_type }}_unit_price is null
        {%- if usage_type in ['input', 'output'] %}
        and is_billed_by_tokens
        {%- endif %}
            as call_lacks_{{ usage_type }},
        {%- endfor %}
        price_id is null and cost_status = 'unpriced' as is_unknown_model
    from quantities

),

unknown_usage as (

    select
        provider,
        model,
        cost_status,
        is_in_scope,
        {%- for usage_type in quoted_usage_types() %}
        max(case when call_lacks_{{ usage_type }} then 1 else 0 end) = 1 as lacks_{{ usage_type }},
        {%- endfor %}
        max(case when is_unknown_model then 1 else 0 end) = 1 as is_unknown_model,
        coalesce(max(priced_provider_id), nullif(provider, {{ unattributed() }}), '<provider>') as override_provider_id,
        coalesce(max(priced_model_id), model) as override_model_id,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
        {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
        min(started_at) as first_started_at,
        max(started_at) as last_started_at,
        {{ sum_money('coalesce(cost_usd, 0)') }} as known_cost_usd,
        {{ sum_money('coalesce(reported_cost_usd, 0)') }} as reported_cost_usd
    from lacking
    group by provider, model, cost_status, is_in_scope

),

unknown_names as (

    select distinct
        provider,
        model,
        {{ dbt.right('lower(model)', compared_characters) }} as full_name
    from unknown_usage
    where is_unknown_model

),

known_names as (

    select
        provider_id,
        model_id,
        {{ dbt.right('lower(model_id)', compared_characters) }} as full_name
    from {{ ref('stg_prices__models') }}

),

all_names as (

    select
        full_name,
        1 as is_known,
        0 as is_unknown
    from known_names

    union all

    select
        full_name,
        0 as is_known,
        1 as is_unknown
    from unknown_names

),

digits as (

    {% for digit in range(10) -%}
    select {{ digit }} as digit
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

places as (

    select 10 * tens.digit + ones.digit + 1 as place
    from digits as tens
    cross join digits as ones
    where 10 * tens.digit + ones.digit < {{ compared_characters }}

),

-- A model's own name is what follows the last slash; before it stands whose it is.
own_names as (

    select
        all_names.full_name,
        max(all_names.is_known) as is_known,
        max(all_names.is_unknown) as is_unknown,
        substring(all_names.full_name, coalesce(max(places.place), 0) + 1) as own_name
    from all_names
    left join places
        on substring(all_names.full_name, places.place, 1) = '/'
    group by all_names.full_name

),

beginnings_and_ends as (

    select
        own_names.own_name,
        own_names.is_known,
        own_names.is_unknown,
        'beginning' as side,
        places.place as letters,
        substring(own_names.own_name, 1, places.place) as part
    from own_names
    inner join places
        on {{ dbt.length('own_names.own_name') }} >= places.place

    union

    select
        own_names.own_name,
        own_names.is_known,
        own_names.is_unknown,
        'end' as side,
        places.place as letters,
        {{ dbt.right('own_names.own_name', 'places.place') }} as part
    from own_names
    inner join places
        on {{ dbt.length('own_names.own_name') }} >= places.place

),

agreements as (

    select
        unknown_parts.own_name as logged_name,
        known_parts.own_name as listed_name,
        unknown_parts.side,
        max(unknown_parts.letters) as letters
    from beginnings_and_ends as unknown_parts
    inner join beginnings_and_ends as known_parts
        on unknown_parts.side = known_parts.side
        and unknown_parts.part = known_parts.part
    where
        unknown_parts.is_unknown = 1
        and known_parts.is_known = 1
    group by unknown_parts.own_name, known_parts.own_name, unknown_parts.side

),

likenesses as (

    select
        logged_name,
        listed_name,
        least(sum(letters), {{ dbt.length('logged_name') }}, {{ dbt.length('listed_name') }}) as common_letters
    from agreements
    group by logged_name, listed_name

),

-- Below half of the one name and a third of the other, they are alike by accident.
candidates as (

    select
        unknown_names.provider,
        unknown_names.model,
        known_names.provider_id,
        known_names.model_id,
        likenesses.listed_name,
        likenesses.common_letters,
        case when unknown_names.provider = known_names.provider_id then 0 else 1 end as is_of_another_provider
    from unknown_names
    inner join own_names as own_unknown_names
        on unknown_names.full_name = own_unknown_names.full_name
    inner join likenesses
        on own_unknown_names.own_name = likenesses.logged_name
    inner join own_names as own_known_names
        on likenesses.listed_name = own_known_names.own_name
    inner join known_names
        on own_known_names.full_name = known_names.full_name
    where
        likenesses.common_letters >= 3
        and 2 * likenesses.common_letters >= {{ dbt.length('likenesses.logged_name') }}
        and 3 * likenesses.common_letters >= {{ dbt.length('likenesses.listed_name') }}

),

sellers as (

    select
        *,
        row_number() over (
            partition by provider, model, listed_name
            order by is_of_another_provider, {{ dbt.length('model_id') }}, provider_id, model_id
        ) as seller
    from candidates

),

ranked as (

    select
        provider,
        model,
        {{ dbt.concat(['provider_id', "' '", 'model_id']) }} as nearest_model,
        row_number() over (
            partition by provider, model
            order by common_letters desc, is_of_another_provider, {{ dbt.length('listed_name') }}, listed_name
        ) as choice
    from sellers
    where seller = 1

),

nearest as (

    select
        provider,
        model,
        max(case when choice = 1 then nearest_model end) as best,
        max(case when choice = 2 then {{ dbt.concat(["', '", 'nearest_model']) }} else '' end) as second_best,
        max(case when choice = 3 then {{ dbt.concat(["', '", 'nearest_model']) }} else '' end) as third_best
    from ranked
    where choice <= 3
    group by provider, model

),

final as (

    select
        unknown_usage.provider,
        unknown_usage.model,
        unknown_usage.cost_status,
        unknown_usage.is_in_scope,
        unknown_usage.attempts,
        unknown_usage.input_tokens,
        unknown_usage.output_tokens,
        unknown_usage.first_started_at,
        unknown_usage.last_started_at,
        unknown_usage.known_cost_usd,
        unknown_usage.reported_cost_usd,
        {{ dbt.concat(['nearest.best', 'nearest.second_best', 'nearest.third_best']) }} as nearest_models,
        {{ price_override_rows('unknown_usage.override_provider_id', 'unknown_usage.override_model_id') }}
            as price_override_rows
    from unknown_usage
    left join nearest
        on unknown_usage.provider = nearest.provider
        and unknown_usage.model = nearest.model
        and unknown_usage.is_unknown_model

)

select * from final
