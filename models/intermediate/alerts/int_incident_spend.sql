-- The calls of the period that opened an incident beside the usual ones: those of the same entity on the same weekdays
-- of the four weeks before, as far as the log goes back. What adds up over a week or a month is judged by a week. A
-- new prompt version has no past of its own: its endpoint's other versions are what is usual there.

{{ config(materialized=shared_step()) }}

{% set dimensions = entity_columns().values() | list + ['prompt_version', 'service_tier'] %}
{% set counts = [
    'attempts', 'requests', 'attempts_without_cost', 'input_tokens', 'cached_input_tokens', 'cache_write_tokens',
    'output_tokens',
] %}
{% set amounts = ['cost_usd', 'input_cost_usd', 'cached_input_cost_usd', 'cache_writes_cost_usd', 'output_cost_usd'] %}
{% set sums = [] %}
{% for column in counts %}{% do sums.append(sum_count('calls.' ~ column) ~ ' as ' ~ column) %}{% endfor %}
{% for column in amounts %}{% do sums.append(sum_money('calls.' ~ column) ~ ' as ' ~ column) %}{% endfor %}

with versions as (

    select distinct
        endpoint_tag,
        prompt_version,
        'prompt_version' as entity_type,
        {{ prompt_version_id() }} as entity_id
    from {{ ref('dim_prompt_versions') }}

),

incidents as (

    select
        incidents.alert_id,
        incidents.entity_type as entity_type,
        incidents.entity_id as entity_id,
        incidents.period_type,
        incidents.periods_per_day,
        incidents.judged_days,
        cast(incidents.judged_from as date) as judged_date,
        versions.endpoint_tag as its_endpoint_tag,
        versions.prompt_version as its_prompt_version
    from {{ ref('int_incidents_opened') }} as incidents
    left join versions
        on incidents.entity_type = versions.entity_type
        and incidents.entity_id = versions.entity_id

),

spend as (

    select * from {{ ref('fct_daily_spend') }}

),

first_days as (

    select min(usage_date) as first_date
    from spend

),

judged_dates as (

    {% for days in range(7) -%}
    select
        incidents.*,
        {{ add_days('incidents.judged_date', -1 * days) }} as date_now
    from incidents
    where incidents.judged_days > {{ days }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

compared_dates as (

    select
        judged_dates.*,
        'now' as side,
        judged_dates.date_now as usage_date
    from judged_dates

    {% for weeks in range(1, 5) -%}
    union all

    select
        judged_dates.*,
        'usual' as side,
        {{ add_days('judged_dates.date_now', -7 * weeks) }} as usage_date
    from judged_dates
    cross join first_days
    where {{ add_days('judged_dates.date_now', -7 * weeks) }} >= first_days.first_date
    {% endfor %}

),

usual_periods as (

    select
        alert_id,
        count(*) * max(periods_per_day) as usual_periods
    from compared_dates
    where side = 'usual'
    group by alert_id

),

-- Of an hour no roll-up keeps enough, and none keeps users.
both_sides as (

    select
        calls.alert_id,
        'now' as side,
        calls.{{ dimensions | join(',\n        calls.') }},
        {{ sums | join(',\n        ') }}
    from {{ ref('int_incident_attempts') }} as calls
    where calls.is_in_no_roll_up
    group by calls.alert_id, calls.{{ dimensions | join(', calls.') }}

    union all

    select
        compared_dates.alert_id,
        compared_dates.side,
        {%- for column in dimensions %}
        calls.{{ column }} as {{ column }},
        {%- endfor %}
        {{ sums | join(',\n        ') }}
    from spend as calls
    inner join compared_dates
        on calls.usage_date = compared_dates.usage_date
        and case
            when compared_dates.side = 'usual' and compared_dates.entity_type = 'prompt_version'
                then
                    calls.endpoint_tag = compared_dates.its_endpoint_tag
                    and calls.prompt_version != compared_dates.its_prompt_version
            else {{ is_about_entity('calls', 'compared_dates', has_callers=false) }}
        end
    where
        (calls.is_in_scope or {{ is_of_all_traffic('compared_dates.period_type') }})
        and (compared_dates.side = 'usual' or compared_dates.periods_per_day = 1)
    group by compared_dates.alert_id, compared_dates.side, calls.{{ dimensions | join(', calls.') }}

),

final as (

    select
        {{ columns_of('both_sides', ['alert_id', 'side'] + dimensions + counts + amounts) }},
        incidents.judged_days,
        coalesce(usual_periods.usual_periods, 1) as usual_periods
    from both_sides
    inner join incidents
        on both_sides.alert_id = incidents.alert_id
    left join usual_periods
        on both_sides.alert_id = usual_periods.alert_id

)

select * from final
