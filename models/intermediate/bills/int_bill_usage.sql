-- What the providers counted, whoever they are, in the fields of a usage event: input is all of it, cached or not.

{% set groups = [
    'provider', 'usage_date_utc', 'project_id', 'api_key_id', 'model', 'service_tier', 'region', 'least_input_tokens',
] %}
{% set counts = ['requests'] + bill_token_fields() %}

with unioned as (

    {% for bill in provider_bills() if bill != 'bill_lines' -%}
    select {{ (groups + counts) | join(', ') }}
    from {{ ref('stg_' ~ bill ~ '__usage') }}

    union all

    {% endfor -%}
    {% if 'bill_lines' in provider_bills() -%}
    select
        provider,
        usage_date_utc,
        project_id,
        api_key_id,
        model,
        'default' as service_tier,
        '' as region,
        cast(0 as {{ dbt.type_bigint() }}) as least_input_tokens,
        cast(null as {{ dbt.type_bigint() }}) as requests,
        {{ quantities_in_fields('usage_type', 'quantity') }}
    from {{ ref('stg_bills__lines') }}
    where
        known_to is null
        and charge_kind = 'tokens'

    union all

    {% endif -%}
    select
        cast(null as {{ dbt.type_string() }}) as provider,
        cast(null as date) as usage_date_utc,
        {{ each_name(groups[2:7], 'cast(null as ' ~ dbt.type_string() ~ ') as <name>') }},
        {{ each_name(groups[7:] + counts, 'cast(null as ' ~ dbt.type_bigint() ~ ') as <name>') }}
    from (select 0 as is_row) as empty_bill
    where is_row = 1

),

final as (

    select
        {{ groups | join(',\n        ') }},
        {{ each_name(counts, sum_count('<name>') ~ ' as <name>') }}
    from unioned
    group by {{ groups | join(', ') }}

)

select * from final
