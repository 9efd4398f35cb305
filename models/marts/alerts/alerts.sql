-- Who must act, on what evidence. A pure function of the data and of as_of: the same incident has the same alert_id in
-- every run, whatever its amounts became.

{% set dimensions = {
    'top_tenant': 'tenant_id', 'top_endpoint': 'endpoint_tag', 'top_model': 'model',
    'top_prompt_version': 'prompt_version', 'top_agent': 'agent_id',
} %}

with incidents as (

    select
        *,
        {{ key_hash([
            'rule_id', 'entity_type', 'entity_id', 'period_type', 'cast(opening_period_start as date)',
            'extract(hour from opening_period_start)',
        ]) }} as alert_id,
        {{ key_hash(['rule_id', 'entity_type', 'entity_id', 'period_type']) }} as fingerprint
    from {{ ref('int_incidents_opened') }}

),

peaks as (

    select
        incidents.alert_id,
        -- a budget is measured against itself, wherever its warning begins
        case when incidents.metric in {{ sql_list(budget_metrics()) }} then 1 else evaluations.baseline end as baseline,
        evaluations.limit_value,
        row_number() over (partition by incidents.alert_id order by evaluations.period_start) as peak_rank
    from incidents
    inner join {{ ref('int_alert_evaluations') }} as evaluations
        on incidents.rule_id = evaluations.rule_id
        and incidents.entity_type = evaluations.entity_type
        and incidents.entity_id = evaluations.entity_id
        and incidents.period_type = evaluations.period_type
        and incidents.window_start <= evaluations.period_start
        and incidents.window_end > evaluations.period_start
        and incidents.observed_value = evaluations.metric_value

),

-- Day by day, for an engine finds equal days at once and compares everything with everything for a range of hours.
incident_days as (

    select
        incidents.*,
        dim_dates.date_day
    from incidents
    inner join {{ ref('dim_dates') }} as dim_dates
        on cast(incidents.window_start as date) <= dim_dates.date_day
        and incidents.window_end > cast(dim_dates.date_day as {{ type_utc_timestamp() }})

),

attempts as (

    select
        incident_days.alert_id,
        attempts.request_key,
        coalesce(attempts.external_request_id, attempts.event_id) as request_id,
        {%- for column in dimensions.values() %}
        attempts.{{ column }},
        {%- endfor %}
        coalesce(attempts.cost_usd, 0) as cost_usd
    from {{ ref('fct_llm_attempts') }} as attempts
    inner join incident_days
        on attempts.usage_date = incident_days.date_day
        and attempts.usage_hour >= incident_days.window_start
        and attempts.usage_hour < incident_days.window_end
        and {{ is_about_entity('attempts', 'incident_days') }}
    where attempts.is_in_scope or {{ is_of_all_traffic('incident_days.period_type') }}

),

contributors as (

    {% for name, column in dimensions.items() -%}
    select
        alert_id,
        '{{ name }}' as contributor,
        {{ column }} as contributor_id,
        row_number() over (partition by alert_id order by sum(cost_usd) desc, {{ column }} asc) as contributor_rank
    from attempts
    where {{ column }} != {{ unattributed() }}
    group by alert_id, {{ column }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

top_contributors as (

    select
        alert_id,
        max(case when contributor = 'top_tenant' then contributor_id end) as top_tenant,
        max(case when contributor = 'top_endpoint' then contributor_id end) as top_endpoint,
        max(case when contributor = 'top_model' then contributor_id end) as top_model,
        max(case when contributor = 'top_prompt_version' then contributor_id end) as top_prompt_version,
        max(case when contributor = 'top_agent' then contributor_id end) as top_agent
    from contributors
    where contributor_rank = 1
    group by alert_id

),

ranked_requests as (

    select
        alert_id,
        request_key,
        min(request_id) as request_id,
        row_number() over (partition by alert_id order by sum(cost_usd) desc, request_key asc) as request_rank
    from attempts
    group by alert_id, request_key

),

samples as (

    select
        alert_id,
        max(case when request_rank = 1 then request_id end) as first_request_id,
        max(case when request_rank = 2 then request_id end) as second_request_id,
        max(case when request_rank = 3 then request_id end) as third_request_id
    from ranked_requests
    where request_rank <= 3
    group by alert_id

),

final as (

    select
        incidents.alert_id as alert_id,
        incidents.fingerprint,
        incidents.rule_id as rule_id,
        rules.severity,
        incidents.entity_type as entity_type,
        incidents.entity_id,
        incidents.period_type,
        incidents.metric as metric,
        {{ from_reporting_timezone('incidents.window_start') }} as window_start,
        {{ from_reporting_timezone('incidents.window_end') }} as window_end,
        {{ from_reporting_timezone('incidents.opening_period_end') }} as opened_at,
        {{ from_reporting_timezone('incidents.window_end') }} as last_seen_at,
        {{ from_reporting_timezone('incidents.resolving_period_end') }} as resolved_at,
        case when incidents.resolving_period_end is null then 'open' else 'resolved' end as status,
        incidents.observed_value,
        peaks.baseline as baseline_value,
        peaks.limit_value as threshold_value,
        ({{ ratio('incidents.observed_value', 'peaks.baseline') }} - 1) * 100 as change_percent,
        incidents.impact_usd,
        rules.likely_cause,
        rules.recommended_action,
        {{ dbt.concat([
            "'{\"top_tenant\": '", 'coalesce(' ~ json_text('top_contributors.top_tenant') ~ ", 'null')",
            "', \"top_endpoint\": '", 'coalesce(' ~ json_text('top_contributors.top_endpoint') ~ ", 'null')",
            "', \"top_model\": '", 'coalesce(' ~ json_text('top_contributors.top_model') ~ ", 'null')",
            "', \"top_prompt_version\": '", 'coalesce(' ~ json_text('top_contributors.top_prompt_version') ~ ", 'null')",
            "', \"top_agent\": '", 'coalesce(' ~ json_text('top_contributors.top_agent') ~ ", 'null')",
            "', \"sample_request_ids\": ['", 'coalesce(' ~ json_text('samples.first_request_id') ~ ", '')",
            'coalesce(' ~ dbt.concat(["', '", json_text('samples.second_request_id')]) ~ ", '')",
            'coalesce(' ~ dbt.concat(["', '", json_text('samples.third_request_id')]) ~ ", '')",
            "']}'",
        ]) }} as evidence,
        coalesce(rules.owner, budgets.owner) as owner
    from incidents
    inner join {{ ref('stg_config__alert_rules') }} as rules
        on incidents.rule_id = rules.rule_id
    left join peaks
        on incidents.alert_id = peaks.alert_id
        and peaks.peak_rank = 1
    left join top_contributors
        on incidents.alert_id = top_contributors.alert_id
    left join samples
        on incidents.alert_id = samples.alert_id
    left join {{ ref('budget_status') }} as budgets
        on incidents.metric in {{ sql_list(budget_metrics()) }}
        and incidents.entity_type = budgets.scope_type
        and incidents.entity_id = budgets.scope_id
        and incidents.period_type = {{ budget_period_type('budgets') }}
        and incidents.opening_period_start >= budgets.period_start
        and incidents.opening_period_start < budgets.period_end

)

select * from final
