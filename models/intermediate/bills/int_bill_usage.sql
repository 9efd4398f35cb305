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
        {%- for field in bill_token_fields() %}
        case when {{ counts_towards('usage_type', field) }} then quantity end as {{ field }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('stg_bills__lines') }}
    where
        known_to is null
        and charge_kind = 'tokens'

    union all

    {% endif -%}
    select
        {%- for group in groups %}
        cast(null as {{ {
            'usage_date_utc': 'date', 'least_input_tokens': dbt.type_bigint(),
        }.get(group, dbt.type_string()) }}) as {{ group }},
        {%- endfor %}
        {%- for count in counts %}
        cast(null as {{ dbt.type_bigint() }}) as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (select 1 as no_row) as nothing
    where no_row = 0

),

final as (

    select
        {{ groups | join(',\n        ') }},
        {%- for count in counts %}
        {{ sum_count(count) }} as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
    from unioned
    group by {{ groups | join(', ') }}

)

select * from final
