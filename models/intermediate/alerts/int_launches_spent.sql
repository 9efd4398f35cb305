-- What a day's spend owes to what is new and known to be: an endpoint in its first two weeks, and a model that came
-- with a new prompt version whose predecessor did not use it. Nobody needs to be told of a launch or a planned
-- migration, so the days that they touch are expected to cost that much more. A new tenant is not such a thing: a load
-- test is one too.

{{ config(materialized=shared_step()) }}

{% set days_new = 14 %}
-- A model that the predecessor used for less than this share of its requests is not its model.
{% set least_share = '0.05' %}
{% set of = {'total': "'total'", 'endpoint': 'endpoint_tag', 'tenant': 'tenant_id', 'model': 'model'} %}

with spend as (

    select
        usage_date,
        tenant_id,
        endpoint_tag,
        prompt_version,
        model,
        {{ sum_count('requests') }} as requests,
        {{ sum_money('cost_usd') }} as cost_usd
    from {{ ref('fct_daily_spend') }}
    where
        is_in_scope
        and usage_date < {{ as_of_date() }}
    group by usage_date, tenant_id, endpoint_tag, prompt_version, model

),

history as (

    select min(usage_date) as first_date from spend

),

starts as (

    select
        endpoint_tag,
        min(usage_date) as first_date
    from spend
    group by endpoint_tag

),

new_endpoints as (

    select
        starts.endpoint_tag,
        starts.first_date
    from starts
    cross join history
    where starts.first_date > history.first_date

),

versions as (

    select * from {{ ref('dim_prompt_versions') }}
    where predecessor is not null

),

-- The last week of the version before, model by model.
weeks_before as (

    select
        versions.endpoint_tag as endpoint_tag,
        versions.prompt_version as prompt_version,
        versions.first_seen_date as first_seen_date,
        spend.model as model,
        {{ sum_count('spend.requests') }} as requests,
        {{ sum_money('spend.cost_usd') }} as cost_usd
    from versions
    inner join spend
        on versions.endpoint_tag = spend.endpoint_tag
        and versions.predecessor = spend.prompt_version
        and {{ add_days('versions.first_seen_date', -7) }} <= spend.usage_date
        and versions.first_seen_date > spend.usage_date
    group by versions.endpoint_tag, versions.prompt_version, versions.first_seen_date, spend.model

),

shared as (

    select
        *,
        sum(requests) over (partition by endpoint_tag, prompt_version, first_seen_date) as all_requests,
        sum(cost_usd) over (partition by endpoint_tag, prompt_version, first_seen_date) as all_cost_usd
    from weeks_before

),

predecessors as (

    select
        endpoint_tag,
        prompt_version,
        first_seen_date,
        {{ ratio('max(all_cost_usd)', 'max(all_requests)') }} as cost_per_request
    from shared
    group by endpoint_tag, prompt_version, first_seen_date

),

-- The day on which a version brings the model; versions after it go on with what it began.
migrations as (

    select
        predecessors.endpoint_tag as endpoint_tag,
        spend.model as model,
        predecessors.first_seen_date as first_seen_date,
        predecessors.cost_per_request
    from predecessors
    inner join spend
        on predecessors.endpoint_tag = spend.endpoint_tag
        and predecessors.prompt_version = spend.prompt_version
        and predecessors.first_seen_date <= spend.usage_date
        and {{ add_days('predecessors.first_seen_date', 2) }} > spend.usage_date
    left join shared
        on predecessors.endpoint_tag = shared.endpoint_tag
        and predecessors.prompt_version = shared.prompt_version
        and predecessors.first_seen_date = shared.first_seen_date
        and spend.model = shared.model
        and shared.requests >= {{ least_share }} * shared.all_requests
    where shared.model is null
    group by predecessors.endpoint_tag, spend.model, predecessors.first_seen_date, predecessors.cost_per_request

),

migrated_days as (

    select
        spend.endpoint_tag as endpoint_tag,
        spend.model as model,
        spend.usage_date as usage_date,
        min(migrations.cost_per_request) as cost_per_request
    from spend
    inner join migrations
        on spend.endpoint_tag = migrations.endpoint_tag
        and spend.model = migrations.model
        and spend.usage_date >= migrations.first_seen_date
        and spend.usage_date < {{ add_days('migrations.first_seen_date', days_new) }}
    group by spend.endpoint_tag, spend.model, spend.usage_date

),

judged as (

    select
        spend.usage_date as usage_date,
        spend.tenant_id as tenant_id,
        spend.endpoint_tag as endpoint_tag,
        spend.model as model,
        spend.requests,
        spend.cost_usd,
        new_endpoints.endpoint_tag is not null as is_launched,
        migrated_days.cost_per_request as cost_per_request_before
    from spend
    left join new_endpoints
        on spend.endpoint_tag = new_endpoints.endpoint_tag
        and spend.usage_date < {{ add_days('new_endpoints.first_date', days_new) }}
    left join migrated_days
        on spend.endpoint_tag = migrated_days.endpoint_tag
        and spend.model = migrated_days.model
        and spend.usage_date = migrated_days.usage_date

),

planned as (

    select
        usage_date,
        tenant_id,
        endpoint_tag,
        model,
        case when is_launched then requests else 0 end as requests,
        case
            when is_launched then cost_usd
            else {{ derived_usd('cost_usd - requests * cost_per_request_before') }}
        end as cost_usd
    from judged
    where
        is_launched
        or cost_per_request_before is not null

),

final as (

    {% for entity_type, column in of.items() -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        usage_date,
        {{ sum_count('requests') }} as planned_requests,
        {{ sum_money('cost_usd') }} as planned_usd
    from planned
    group by {{ column ~ ', ' if entity_type != 'total' }}usage_date
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select * from final
