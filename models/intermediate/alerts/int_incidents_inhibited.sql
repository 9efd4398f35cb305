-- One cause gives one page. An incident is a child of one that became known before it, is related to it and close in
-- time: a page that was sent stays the page, whatever is found out later. What goes on, or comes back within a week, is
-- the same cause; so are the warnings of one budget in one period. All that is asked here was known when the child
-- opened.

{{ config(materialized=shared_step()) }}

{% set rounds = 3 %}
{% set no_causes = sql_list(['unknown', 'budget_too_small']) %}
{# Anything may cost more because it is used more: that alone does not make two incidents one. #}
{% set common_cause = "'traffic_growth'" %}
{# A Monday, from which weeks are counted. #}
{% set first_day = "cast('2019-12-30' as date)" %}
{% set comes_back_within_days = 7 %}

with incidents as (

    select
        incidents.alert_id as alert_id,
        incidents.rule_id as rule_id,
        incidents.severity,
        incidents.entity_type as entity_type,
        incidents.entity_id as entity_id,
        -- of a tag of several words it is not known
        case
            when incidents.entity_type = 'prompt_version' then {{ text_word('incidents.entity_id', 1) }}
        end as version_of,
        incidents.period_type,
        incidents.opening_period_start,
        incidents.opening_period_end,
        incidents.resolving_period_end,
        {{ days_between(first_day, 'cast(incidents.opening_period_start as date)') }}
            as opening_day,
        {{ days_between(first_day, 'cast(incidents.resolving_period_end as date)') }}
            as resolving_day,
        case
            when incidents.judged_days > 1 then {{ add_hours('incidents.opening_period_start', -24 * 6) }}
            else incidents.opening_period_start
        end as judged_from,
        rules.family,
        rules.hidden_by,
        rules.within_days,
        'source' as source_family,
        case when explained.likely_cause in {{ no_causes }} then null else explained.likely_cause end as known_cause,
        row_number() over (
            order by
                incidents.opening_period_end, {{ severity_rank('incidents.severity') }}, rules.rule_rank,
                {{ narrowness_rank('incidents.entity_type') }}, incidents.alert_id
        ) as place
    from {{ ref('int_incidents_opened') }} as incidents
    inner join {{ ref('stg_config__alert_inhibitions') }} as rules
        on incidents.rule_id = rules.rule_id
    inner join {{ ref('int_incidents_explained') }} as explained
        on incidents.alert_id = explained.alert_id

),

-- Without the newest data nothing can be judged, whatever it is about.
silenced as (

    select
        children.alert_id as alert_id,
        min(parents.place) as parent_place
    from incidents as children
    inner join incidents as parents
        on children.source_family = parents.family
    where
        parents.place < children.place
        and coalesce(parents.resolving_period_end > children.opening_period_start, true)
        and {{ is_hidden_by('children', 'parents') }}
    group by children.alert_id

),

judged as (

    select
        *,
        case
            when period_type like 'monthly%'
                then 100 * extract(year from opening_period_start) + extract(month from opening_period_start)
            when period_type like 'weekly%' then opening_day - mod(opening_day, 7)
            else opening_day
        end as budget_period
    from incidents
    where alert_id not in (select silenced.alert_id from silenced)

),

contributors as (

    select
        *,
        count(*) over (partition by alert_id, entity_type) as contributors_of_type
    from {{ ref('alert_contributors') }}

),

main_contributors as (

    select * from contributors
    where is_main

),

related as (

    select
        children.alert_id as child_id,
        parents.alert_id as parent_id,
        'the same entity' as relation
    from judged as children
    inner join judged as parents
        on children.entity_type = parents.entity_type
        and children.entity_id = parents.entity_id

    union all

    select
        contributors.alert_id as child_id,
        parents.alert_id as parent_id,
        'driven by the parent' as relation
    from main_contributors as contributors
    inner join judged as parents
        on contributors.entity_type = parents.entity_type
        and contributors.entity_id = parents.entity_id

    union all

    select
        children.alert_id as child_id,
        contributors.alert_id as parent_id,
        'driver of the parent' as relation
    from main_contributors as contributors
    inner join judged as children
        on contributors.entity_type = children.entity_type
        and contributors.entity_id = children.entity_id
    inner join judged as parents
        on contributors.alert_id = parents.alert_id
    -- a tenant is no driver of its user: there is no other to drive it. What both have in common may still be a price.
    where
        contributors.contributors_of_type > 1
        or parents.entity_type = 'total'
        or (parents.known_cause = children.known_cause and parents.known_cause != {{ common_cause }})

    union all

    select
        children.alert_id as child_id,
        parents.alert_id as parent_id,
        'a part of the other' as relation
    from judged as children
    inner join judged as parents
        on children.version_of = parents.entity_id
        and parents.entity_type = 'endpoint'

    union all

    select
        children.alert_id as child_id,
        parents.alert_id as parent_id,
        'a part of the other' as relation
    from judged as children
    inner join judged as parents
        on children.entity_id = parents.version_of
        and children.entity_type = 'endpoint'

),

-- What drove another was not over when that began, had begun when it drove it, and has the same cause, as far as it is
-- known.
ranked as (

    select
        related.child_id,
        parents.place as parent_place,
        row_number() over (
            partition by related.child_id
            order by case when related.relation = 'driver of the parent' then 2 else 1 end, parents.place
        ) as parent_rank
    from related
    inner join judged as children
        on related.child_id = children.alert_id
    inner join judged as parents
        on related.parent_id = parents.alert_id
    where
        parents.place < children.place
        and (parents.severity != 'info' or children.severity = 'info')
        and {{ is_hidden_by('children', 'parents') }}
        and (related.relation != 'driver of the parent' or children.judged_from < parents.opening_period_end)
        and (
            (
                children.opening_day - parents.opening_day <= children.within_days
                -- a budget that is too small says so, whatever else went wrong
                and (
                    parents.family = children.family
                    or coalesce(parents.known_cause = children.known_cause, false)
                )
                and (
                    related.relation = 'the same entity'
                    or (
                        coalesce(parents.resolving_period_end > children.judged_from, true)
                        and coalesce(parents.known_cause = children.known_cause, true)
                    )
                )
            )
            or (
                children.family = 'anomaly'
                and children.period_type != 'hourly'
                and coalesce(children.opening_day - parents.resolving_day <= {{ comes_back_within_days }}, true)
                and (
                    parents.known_cause = children.known_cause
                    or (
                        related.relation = 'the same entity'
                        and parents.rule_id = children.rule_id
                        and coalesce(parents.known_cause = children.known_cause, true)
                    )
                )
            )
            or (
                parents.family = 'budget'
                and related.relation = 'the same entity'
                and parents.period_type = children.period_type
                and parents.budget_period = children.budget_period
            )
        )

),

hidden as (

    select
        child_id,
        parent_place
    from ranked
    where parent_rank = 1

    union all

    select
        alert_id as child_id,
        parent_place
    from silenced

),

round_0 as (

    select
        hidden.child_id as alert_id,
        incidents.alert_id as parent_alert_id
    from hidden
    inner join incidents
        on hidden.parent_place = incidents.place

),

-- A child of a child is one of the root.
{% for round in range(1, rounds + 1) -%}
round_{{ round }} as (

    select
        children.alert_id as alert_id,
        coalesce(parents.parent_alert_id, children.parent_alert_id) as parent_alert_id
    from round_{{ round - 1 }} as children
    left join round_{{ round - 1 }} as parents
        on children.parent_alert_id = parents.alert_id

),

{% endfor -%}
final as (

    select
        incidents.alert_id as alert_id,
        parents.parent_alert_id
    from {{ ref('int_incidents_opened') }} as incidents
    left join round_{{ rounds }} as parents
        on incidents.alert_id = parents.alert_id

)

select * from final
