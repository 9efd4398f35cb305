{#- Fails with rows that name a provider or model which neither the price book nor a price of the user's own knows: they
    would silently do nothing. A row that brings a price makes its model known. -#}
{% test models_are_known(model, prices, own_prices, provider='provider_id', model_id='model_id') %}
with known as (

    select
        {{ lower_case('provider_id') }} as provider_name,
        {{ lower_case('model_id') }} as model_name
    from {{ prices }}

    union distinct

    select
        {{ lower_case('provider_id') }} as provider_name,
        {{ lower_case('model_id') }} as model_name
    from {{ own_prices }}
    where price is not null

),

known_providers as (

    select distinct provider_name from known

)

select
    named.*,
    case when known_providers.provider_name is null then '{{ provider }}' else '{{ model_id }}' end as fault_column
from {{ model }} as named
left join known_providers
    on {{ lower_case('named.' ~ provider) }} = known_providers.provider_name
left join known
    on {{ lower_case('named.' ~ provider) }} = known.provider_name
    and {{ lower_case('named.' ~ model_id) }} = known.model_name
where
    named.{{ provider }} is not null
    and (known_providers.provider_name is null or (named.{{ model_id }} is not null and known.model_name is null))
{% endtest %}
