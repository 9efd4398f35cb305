-- Which models of the price book have names like one that no rule knows: what the person probably meant.

{% set compared_characters = 60 %}

with unknown_names as (

    select distinct
        coalesce(nullif(provider, ''), {{ unattributed() }}) as provider,
        model,
        {{ text_end(lower_case('model'), compared_characters) }} as full_name
    from {{ ref('int_models_resolved') }}
    where priced_model_id is null

),

known_names as (

    select
        provider_id,
        model_id,
        {{ text_end(lower_case('model_id'), compared_characters) }} as full_name
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

lettered_names as (

    select
        all_names.full_name,
        all_names.is_known,
        all_names.is_unknown,
        places.place,
        {{ text_part('all_names.full_name', 'places.place', 1) }} as letter
    from all_names
    cross join places

),

slashed_names as (

    select
        full_name,
        max(is_known) as is_known,
        max(is_unknown) as is_unknown,
        coalesce(max(case when letter = '/' then place end), 0) as last_slash
    from lettered_names
    group by full_name

),

-- A model's own name is what follows the last slash; before it stands whose it is.
own_names as (

    select
        full_name,
        is_known,
        is_unknown,
        {{ text_part('full_name', 'last_slash + 1') }} as own_name
    from slashed_names

),

beginnings_and_ends as (

    select
        own_names.own_name,
        own_names.is_known,
        own_names.is_unknown,
        'beginning' as side,
        places.place as letters,
        {{ text_part('own_names.own_name', 1, 'places.place') }} as part
    from own_names
    inner join places
        on {{ text_length('own_names.own_name') }} >= places.place

    union distinct

    select
        own_names.own_name,
        own_names.is_known,
        own_names.is_unknown,
        'end' as side,
        places.place as letters,
        {{ text_end('own_names.own_name', 'places.place') }} as part
    from own_names
    inner join places
        on {{ text_length('own_names.own_name') }} >= places.place

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
        least(sum(letters), {{ text_length('logged_name') }}, {{ text_length('listed_name') }}) as common_letters
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
        and 2 * likenesses.common_letters >= {{ text_length('likenesses.logged_name') }}
        and 3 * likenesses.common_letters >= {{ text_length('likenesses.listed_name') }}

),

sellers as (

    select
        *,
        row_number() over (
            partition by provider, model, listed_name
            order by is_of_another_provider, {{ text_length('model_id') }}, provider_id, model_id
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
            order by common_letters desc, is_of_another_provider, {{ text_length('listed_name') }}, listed_name
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
        provider,
        model,
        {{ dbt.concat(['best', 'second_best', 'third_best']) }} as nearest_models
    from nearest

)

select * from final
