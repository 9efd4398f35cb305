-- The provider is, in this order: the one that the event states, the one that a gateway's prefix names
-- (`openrouter/anthropic/claude-opus-5` is OpenRouter's), the first whose models have such names.

with logged_models as (

    select distinct
        provider,
        model,
        {{ lower_case('trim(provider)') }} as provider_name,
        {{ lower_case('model') }} as model_name
    from {{ ref('int_named_models') }}

),

model_prefixes as (

    select * from {{ ref('stg_prices__model_prefixes') }}

),

provider_rules as (

    select * from {{ ref('stg_prices__provider_rules') }}

),

provider_names as (

    select distinct provider_name from logged_models

),

stated_provider_candidates as (

    select
        provider_names.provider_name,
        providers.provider_id,
        0 as priority
    from provider_names
    inner join {{ ref('stg_prices__providers') }} as providers
        on provider_names.provider_name = providers.provider_id

    union all

    select
        provider_names.provider_name,
        provider_rules.provider_id,
        min(provider_rules.provider_ordinal) as priority
    from provider_names
    cross join provider_rules
    where
        provider_rules.purpose = 'provider'
        and {{ rule_holds('provider_names.provider_name', 'provider_rules') }}
    group by provider_names.provider_name, provider_rules.provider_id, provider_rules.rule_group
    having count(*) = max(provider_rules.rules_in_group)

    union all

    select
        provider_names.provider_name,
        model_prefixes.provider_id,
        1000000 as priority
    from provider_names
    inner join model_prefixes
        on {{ dbt.position('provider_names.provider_name', 'model_prefixes.prefix') }} = 1
        and {{ dbt.length('provider_names.provider_name') }} = {{ dbt.length('model_prefixes.prefix') }} - 1
    where model_prefixes.provider_id is not null

),

stated_providers as (

    select
        provider_name,
        provider_id,
        row_number() over (partition by provider_name order by priority, provider_id) as choice
    from stated_provider_candidates

),

unprefixed_0 as (

    select
        logged_models.provider,
        logged_models.model,
        logged_models.model_name,
        stated_providers.provider_id,
        case when stated_providers.provider_id is not null then 'stated_provider' end as resolution
    from logged_models
    left join stated_providers
        on logged_models.provider_name = stated_providers.provider_name
        and stated_providers.choice = 1

),

{% for step in [1, 2] %}
prefixed_{{ step }} as (

    select
        named.provider,
        named.model,
        coalesce(named.provider_id, model_prefixes.provider_id) as provider_id,
        case
            when named.resolution is not null then named.resolution
            when model_prefixes.provider_id is not null then 'model_prefix'
        end as resolution,
        case
            when model_prefixes.prefix is null then named.model_name
            else substring(named.model_name, {{ dbt.length('model_prefixes.prefix') }} + 1)
        end as model_name,
        row_number() over (
            partition by named.provider, named.model
            order by {{ dbt.length("coalesce(model_prefixes.prefix, '')") }} desc
        ) as choice
    from unprefixed_{{ step - 1 }} as named
    left join model_prefixes
        on {{ text_part('named.model_name', 1, 1) }} = {{ text_part('model_prefixes.prefix', 1, 1) }}
        and {{ dbt.position('model_prefixes.prefix', 'named.model_name') }} = 1
        and (named.provider_id is null or named.provider_id = model_prefixes.provider_id)

),

unprefixed_{{ step }} as (

    select
        provider,
        model,
        model_name,
        provider_id,
        resolution
    from prefixed_{{ step }}
    where choice = 1

),
{% endfor %}
owners as (

    select
        named.provider,
        named.model,
        provider_rules.provider_id as provider_id,
        provider_rules.provider_ordinal
    from unprefixed_2 as named
    cross join provider_rules
    where
        named.provider_id is null
        and provider_rules.purpose = 'model'
        and {{ rule_holds('named.model_name', 'provider_rules') }}
    group by
        named.provider,
        named.model,
        provider_rules.provider_id,
        provider_rules.provider_ordinal,
        provider_rules.rule_group
    having count(*) = max(provider_rules.rules_in_group)

),

first_owners as (

    select
        provider,
        model,
        provider_id,
        row_number() over (partition by provider, model order by provider_ordinal) as choice
    from owners

),

read_names as (

    {% for step in [0, 1, 2] %}
    select
        {{ step }} as prefixes_removed,
        named.provider,
        named.model,
        coalesce(named.provider_id, first_owners.provider_id) as provider_id,
        case
            when named.resolution is not null then named.resolution
            when first_owners.provider_id is not null then 'model_name'
        end as resolution,
        named.model_name
    from unprefixed_{{ step }} as named
    left join first_owners
        on named.provider = first_owners.provider
        and named.model = first_owners.model
        and first_owners.choice = 1
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

as_written as (

    select
        provider,
        model,
        provider_id,
        resolution,
        model_name,
        2 * prefixes_removed as attempt
    from read_names

),

final as (

    select
        provider,
        model,
        provider_id,
        resolution,
        model_name,
        min(attempt) as attempt
    from (
        select * from as_written
        union all
        select
            provider,
            model,
            provider_id,
            resolution,
            {{ dash_compact_dates('model_name') }} as model_name,
            attempt + 1 as attempt
        from as_written
    ) as spellings
    group by provider, model, provider_id, resolution, model_name

)

select * from final
