-- The user's own rules and models come first. A provider that resells another's models is billed from its own price
-- book, and where that has no such model from the other's. Within a price book the first model in order whose rules
-- hold is meant.

with model_references as (

    select * from {{ ref('int_model_references') }}

),

price_books as (

    select
        provider_id,
        provider_id as book_provider_id,
        0 as fallback_ordinal
    from {{ ref('stg_prices__providers') }}

    union all

    select
        provider_id,
        fallback_provider_id as book_provider_id,
        fallback_ordinal
    from {{ ref('stg_prices__provider_fallbacks') }}

),

matches as (

    select
        model_references.provider,
        model_references.model,
        model_references.resolution,
        model_references.attempt,
        price_books.fallback_ordinal,
        model_rules.provider_id as provider_id,
        model_rules.model_id,
        model_rules.model_ordinal
    from model_references
    inner join price_books
        on model_references.provider_id = price_books.provider_id
    inner join {{ ref('stg_prices__model_rules') }} as model_rules
        on price_books.book_provider_id = model_rules.provider_id
    where {{ rule_holds('model_references.model_name', 'model_rules') }}
    group by
        model_references.provider,
        model_references.model,
        model_references.resolution,
        model_references.attempt,
        price_books.fallback_ordinal,
        model_rules.provider_id,
        model_rules.model_id,
        model_rules.model_ordinal,
        model_rules.rule_group
    having count(*) = max(model_rules.rules_in_group)

),

ranked_matches as (

    select
        *,
        row_number() over (
            partition by provider, model
            order by attempt, fallback_ordinal, model_ordinal
        ) as choice
    from matches

),

logged_models as (

    select
        provider,
        model,
        max(provider_id) as provider_id
    from model_references
    group by provider, model

),

own_rules as (

    select
        'own_rule' as resolution,
        priority,
        provider,
        kind,
        pattern,
        provider_id,
        model_id,
        is_negated
    from {{ ref('stg_config__model_aliases') }}

    union all

    select distinct
        'own_model' as resolution,
        cast(9223372036854775807 as {{ dbt.type_bigint() }}) as priority,
        cards.provider_id as provider,
        'equals' as kind,
        cards.model_id as pattern,
        cards.provider_id,
        cards.model_id,
        false as is_negated
    from {{ ref('int_price_cards') }} as cards
    where cards.is_own_model

),

own_matches as (

    select
        logged_models.provider,
        logged_models.model,
        own_rules.resolution,
        own_rules.provider_id as provider_id,
        own_rules.model_id,
        row_number() over (
            partition by logged_models.provider, logged_models.model
            order by own_rules.priority, own_rules.pattern, own_rules.provider_id, own_rules.model_id
        ) as choice
    from logged_models
    inner join own_rules
        on {{ lower_case('logged_models.provider') }}
        = coalesce(own_rules.provider, {{ lower_case('logged_models.provider') }})
        or (own_rules.resolution = 'own_model' and logged_models.provider = '')
    where {{ rule_holds(lower_case('logged_models.model'), 'own_rules') }}

),

final as (

    select
        logged_models.provider as provider,
        logged_models.model as model,
        coalesce(own_matches.provider_id, ranked_matches.provider_id) as priced_provider_id,
        coalesce(own_matches.model_id, ranked_matches.model_id) as priced_model_id,
        case
            when own_matches.resolution is not null then own_matches.resolution
            when ranked_matches.fallback_ordinal > 0 then 'fallback_provider'
            when ranked_matches.resolution is not null then ranked_matches.resolution
            when logged_models.provider_id is not null then 'unknown_model'
            else 'unknown_provider'
        end as resolution
    from logged_models
    left join own_matches
        on logged_models.provider = own_matches.provider
        and logged_models.model = own_matches.model
        and own_matches.choice = 1
    left join ranked_matches
        on logged_models.provider = ranked_matches.provider
        and logged_models.model = ranked_matches.model
        and ranked_matches.choice = 1

)

select * from final
