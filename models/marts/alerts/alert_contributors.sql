-- Who drove an incident: dollars beyond the usual ones, for the largest spender is often only the largest customer.

{% set kept = 5 %}

with spend as (

    select
        *,
        {{ prompt_version_id() }} as version_id,
        -- in units of the usual periods, so that nothing is divided before it is compared
        {{ money(product(
            'cost_usd', "case when side = 'now' then usual_periods else -1 * judged_days end"
        )) }} as beyond_usual,
        case when side = 'now' then cost_usd else 0 end as cost_now,
        case when side = 'now' then 0 else {{ money(product('cost_usd', 'judged_days')) }} end as cost_usual
    from {{ ref('int_incident_spend') }}

),

callers as (

    {% for caller, column in caller_columns().items() -%}
    select
        '{{ caller }}' as entity_type,
        alert_id,
        {{ column }} as entity_id,
        {{ sum_money('cost_usd') }} as cost_usd
    from {{ ref('int_incident_attempts') }}
    where {{ column }} is not null
    group by alert_id, {{ column }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

totals as (

    select
        alert_id,
        {{ sum_money('beyond_usual') }} as all_beyond_usual,
        max(usual_periods) as usual_periods
    from spend
    group by alert_id

),

entities as (

    {% for entity_type, column in dict(entity_columns(), prompt_version='version_id').items() -%}
    select
        '{{ entity_type }}' as entity_type,
        alert_id,
        {{ column }} as entity_id,
        {{ 'max(prompt_version)' if entity_type == 'prompt_version' else column }} as entity_name,
        {{ sum_money('cost_now') }} as cost_usd,
        {{ sum_money('cost_usual') }} as all_usual_usd,
        {{ sum_money('beyond_usual') }} as beyond_usual,
        max(usual_periods) as usual_periods
    from spend
    group by alert_id, {{ column }}

    union all

    {% endfor -%}
    -- roll-ups know no callers: their usual spend is not known, and all of it counts
    select
        callers.entity_type,
        callers.alert_id as alert_id,
        callers.entity_id,
        callers.entity_id as entity_name,
        callers.cost_usd as cost_usd,
        {{ money('0') }} as all_usual_usd,
        {{ money(product('callers.cost_usd', 'totals.usual_periods')) }} as beyond_usual,
        totals.usual_periods as usual_periods
    from callers
    inner join totals
        on callers.alert_id = totals.alert_id

),

ranked as (

    select
        {{ columns_of('entities', [
            'alert_id', 'entity_type', 'entity_id', 'entity_name', 'cost_usd', 'all_usual_usd',
            'beyond_usual', 'usual_periods',
        ]) }},
        totals.all_beyond_usual,
        count(*) over (partition by entities.alert_id, entities.entity_type) as contributors,
        row_number() over (
            partition by entities.alert_id, entities.entity_type
            order by
                case when entities.entity_name = {{ unattributed() }} then 1 else 0 end,
                entities.beyond_usual desc, entities.entity_id
        ) as contributor_rank
    from entities
    inner join totals
        on entities.alert_id = totals.alert_id

),

judged as (

    select
        *,
        contributors = 1 or (all_beyond_usual > 0 and 2 * beyond_usual >= all_beyond_usual) as is_main
    from ranked

),

final as (

    select
        alert_id,
        entity_type,
        entity_id,
        entity_name,
        cast(contributor_rank as {{ dbt.type_bigint() }}) as contributor_rank,
        cost_usd,
        {{ derived_usd(ratio('all_usual_usd', 'usual_periods')) }} as usual_cost_usd,
        {{ derived_usd(ratio('beyond_usual', 'usual_periods')) }} as beyond_usual_usd,
        is_main
    from judged
    where contributor_rank <= {{ kept }} or is_main

)

select * from final
