-- One cause gives one page. An incident is a child of one that became known before it, is related to it and close in
-- time: a page that was sent stays the page, whatever is found out later. What goes on, or comes back within a week, is
-- the same cause; so are the warnings of one budget in one period. All that is asked here was known when the child
-- opened.

{{ config(materialized=shared_step()) }}

{% set rounds = 3 %}
{% set no_causes = sql_list(['unknown', 'budget_too_small']) %}
{# Anything may cost more because it is used more: that alone does not make two incidents one. #}
{% set common_cause = "'traffic_growth'" %}
{% set price_change = "'price_change'" %}
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
        incidents.judged_days,
        rules.family,
        rules.hidden_by,
        rules.within_days,
        'source' as source_family,
        case when explained.likely_cause in {{ no_causes }} then null else explained.likely_cause end as known_cause,
        -- The spend of all is a mix of causes.
        case
            when incidents.entity_type = 'total' and incidents.metric in ('hourly_cost', 'daily_cost') then 1
            else 0
        end as is_mixed,
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
        and coalesce(parents.resolving_period_end > children.opening_period_end, true)
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
        alert_id,
        entity_type,
        entity_id,
        is_main,
        count(*) over (partition by alert_id, entity_type) as contributors_of_type
    from {{ ref('alert_contributors') }}

),

-- What an incident is about, what that is a part of, and what drove it.
sides as (

    select
        alert_id,
        'itself' as side,
        entity_type,
        entity_id,
        1 as contributors_of_type
    from judged

    union all

    select
        alert_id,
        'whole' as side,
        'endpoint' as entity_type,
        version_of as entity_id,
        1 as contributors_of_type
    from judged
    where version_of is not null

    union all

    select
        alert_id,
        'driver' as side,
        entity_type,
        entity_id,
        contributors_of_type
    from contributors
    where is_main

),

pairs as (

    select
        children.alert_id as child_id,
        parents.alert_id as parent_id,
        children.side as child_side,
        parents.side as parent_side,
        parents.entity_type as shared_type,
        parents.contributors_of_type as contributors_of_type
    from sides as children
    inner join sides as parents
        on children.entity_type = parents.entity_type
        and children.entity_id = parents.entity_id

),

compared as (

    select
        pairs.child_id,
        pairs.child_side,
        pairs.parent_side,
        pairs.shared_type,
        pairs.contributors_of_type,
        parents.place as parent_place,
        parents.entity_type as parent_type,
        parents.family as parent_family,
        children.family as child_family,
        children.within_days as within_days,
        children.period_type as child_period_type,
        children.judged_days as child_judged_days,
        case when pairs.child_side = 'itself' and pairs.parent_side = 'itself' then 1 else 0 end as is_same_entity,
        case when parents.rule_id = children.rule_id then 1 else 0 end as is_same_rule,
        case
            when parents.known_cause is null or children.known_cause is null then 'unknown'
            when parents.known_cause != children.known_cause and children.is_mixed = 1 then 'unknown'
            when parents.known_cause != children.known_cause then 'another'
            when parents.known_cause = {{ common_cause }} then 'common'
            when parents.known_cause = {{ price_change }} then 'price'
            else 'the same'
        end as shared_cause,
        case
            when parents.period_type = children.period_type and parents.budget_period = children.budget_period then 1
            else 0
        end as is_same_budget_period,
        children.opening_day - parents.opening_day as days_later,
        coalesce(children.opening_day - parents.resolving_day, 0) as days_over,
        case
            when coalesce(parents.resolving_period_end > children.judged_from, true) then 1
            else 0
        end as is_going_on,
        case when children.judged_from < parents.opening_period_end then 1 else 0 end as had_begun
    from pairs
    inner join judged as children
        on pairs.child_id = children.alert_id
    inner join judged as parents
        on pairs.parent_id = parents.alert_id
    where
        parents.place < children.place
        and (parents.severity != 'info' or children.severity = 'info')
        and {{ is_hidden_by('children', 'parents') }}

),

related as (

    select * from compared
    where
        (child_side = 'itself' and parent_side in ('itself', 'whole'))
        or (child_side in ('whole', 'driver') and parent_side = 'itself')
        -- A tenant is no driver of its user: there is no other to drive it. What both have in common may still be a
        -- price.
        or (
            child_side = 'itself'
            and parent_side = 'driver'
            and had_begun = 1
            and (
                contributors_of_type > 1
                or parent_type = 'total'
                or shared_cause in ('the same', 'price')
            )
        )
        -- A price is the model's: all whose tokens became dearer by it is one.
        or (
            child_side = 'driver'
            and parent_side = 'driver'
            and shared_type = 'model'
            and shared_cause = 'price'
            and parent_family = child_family
        )

),

ranked as (

    select
        child_id,
        parent_place,
        row_number() over (
            partition by child_id
            order by case when parent_side = 'driver' then 2 else 1 end, parent_place
        ) as parent_rank
    from related
    where
        -- what is near in time is the same, unless it is known to have another cause or to have begun after the end
        (
            days_later <= within_days
            -- a budget that is too small says so, whatever else went wrong
            and (
                parent_family = child_family
                or shared_cause in ('price', 'the same')
                -- one day of growth uses up no other entity's month
                or (shared_cause = 'common' and (is_same_entity = 1 or child_judged_days = 1))
            )
            and (
                (is_same_entity = 1 and is_going_on = 1)
                or (shared_cause != 'another' and (is_same_entity = 1 or is_going_on = 1))
            )
        )
        -- what goes on or comes back has the same cause; growth goes on for ever
        or (
            child_family = 'anomaly'
            and (child_period_type != 'hourly' or (shared_cause = 'common' and is_same_entity = 1 and is_going_on = 1))
            and days_over <= {{ comes_back_within_days }}
            and (
                shared_cause in ('price', 'the same')
                or (shared_cause = 'common' and days_later <= {{ comes_back_within_days }})
                or (shared_cause = 'unknown' and is_same_entity = 1 and is_same_rule = 1)
            )
        )
        -- a budget of one period is one
        or (parent_family = 'budget' and is_same_entity = 1 and is_same_budget_period = 1)

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
rooted as (

    select
        nearest.alert_id as alert_id,
        rooted.parent_alert_id as root_id,
        children.place as place,
        case
            when
                nearest.parent_alert_id != rooted.parent_alert_id
                and children.is_mixed = 0
                and children.known_cause != roots.known_cause
                and (children.entity_type != roots.entity_type or children.entity_id != roots.entity_id)
                then children.known_cause
        end as own_cause
    from round_0 as nearest
    inner join round_{{ rounds }} as rooted
        on nearest.alert_id = rooted.alert_id
    inner join incidents as children
        on nearest.alert_id = children.alert_id
    inner join incidents as roots
        on rooted.parent_alert_id = roots.alert_id

),

-- Of what only others connect with the root, another entity with another known cause is a page of its own.
parted as (

    select
        *,
        min(place) over (partition by root_id, own_cause) as first_place
    from rooted

),

final as (

    select
        opened.alert_id as alert_id,
        case
            when parted.own_cause is null then parted.root_id
            when parted.place != parted.first_place then firsts.alert_id
        end as parent_alert_id
    from {{ ref('int_incidents_opened') }} as opened
    left join parted
        on opened.alert_id = parted.alert_id
    left join incidents as firsts
        on parted.first_place = firsts.place

)

select * from final
