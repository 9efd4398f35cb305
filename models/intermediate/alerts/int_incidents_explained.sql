-- The first line of alert_causes that holds names the cause. Where none does, nobody is sent the wrong way: the cause
-- is unknown, and what the rule itself advises is left.

{{ config(materialized=shared_step()) }}

with signals as (

    select
        incidents.rule_id,
        {{ columns_of('signals', ['alert_id'] + incident_signals()) }}
    from {{ ref('int_incidents_opened') }} as incidents
    inner join {{ ref('int_incident_signals') }} as signals
        on incidents.alert_id = signals.alert_id

),

causes as (

    select * from {{ ref('stg_config__alert_causes') }}

),

holding as (

    select
        signals.alert_id,
        causes.cause_id,
        causes.explanation,
        causes.recommended_action,
        row_number() over (partition by signals.alert_id order by causes.cause_rank) as holding_rank
    from signals
    cross join causes
    where
        (
            causes.rule_ids is null
            or {{ dbt.concat(["' '", 'causes.rule_ids', "' '"]) }}
            like {{ dbt.concat(["'% '", 'signals.rule_id', "' %'"]) }}
        )
        and (
            causes.signal is null
            or case causes.signal
                {%- for signal in incident_signals() %}
                when '{{ signal }}' then signals.{{ signal }}
                {%- endfor %}
            end >= causes.at_least
        )

),

final as (

    select
        incidents.alert_id as alert_id,
        coalesce(holding.cause_id, 'unknown') as likely_cause,
        coalesce(holding.explanation, rules.likely_cause) as cause_explanation,
        coalesce(holding.recommended_action, rules.recommended_action) as recommended_action
    from {{ ref('int_incidents_opened') }} as incidents
    inner join {{ ref('stg_config__alert_rules') }} as rules
        on incidents.rule_id = rules.rule_id
    left join holding
        on incidents.alert_id = holding.alert_id
        and holding.holding_rank = 1

)

select * from final
