-- Who must act, on what evidence. A pure function of the data and of as_of: the same incident has the same alert_id in
-- every run, whatever its amounts became.

{% set contributors = ['tenant', 'endpoint', 'model', 'prompt_version', 'agent'] %}
{% set sample_size = 10 %}
{% set evidence = ["'{'"] %}
{% for contributor in contributors %}
{% set name, amount = 'top_contributors.top_' ~ contributor, 'top_contributors.top_' ~ contributor ~ '_usd' %}
{% do evidence.extend([
    "'\"top_" ~ contributor ~ "\": '", 'coalesce(' ~ json_text(name) ~ ", 'null')",
    "', \"top_" ~ contributor ~ "_usd\": '", 'coalesce(' ~ json_usd(amount) ~ ", 'null')", "', '",
]) %}
{% endfor %}
{% do evidence.append("'\"sample_request_ids\": ['") %}
{% for rank in range(1, sample_size + 1) %}
{% set request_id = json_text('samples.request_id_' ~ rank) %}
{% do evidence.append('coalesce(' ~ (dbt.concat(["', '", request_id]) if rank > 1 else request_id) ~ ", '')") %}
{% endfor %}
{% do evidence.extend([
    "'], \"children\": ['", 'coalesce(' ~ dbt.concat(["'\"'", 'standing.children_ids', "'\"'"]) ~ ", '')",
    "'], \"sql\": '", json_text(incident_query('incidents')), "'}'",
]) %}

with incidents as (

    select * from {{ ref('int_incidents_opened') }}

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

top_contributors as (

    select
        {%- for contributor in contributors %}
        max(case when entity_type = '{{ contributor }}' then entity_name end) as top_{{ contributor }},
        max(case when entity_type = '{{ contributor }}' then beyond_usual_usd end) as top_{{ contributor }}_usd,
        {%- endfor %}
        alert_id
    from {{ ref('alert_contributors') }}
    where
        contributor_rank = 1
        and entity_name != {{ unattributed() }}
    group by alert_id

),

ranked_requests as (

    select
        alert_id,
        request_id,
        row_number() over (partition by alert_id order by sum(cost_usd) desc, request_id asc) as request_rank
    from {{ ref('int_incident_attempts') }}
    group by alert_id, request_id

),

samples as (

    select
        {%- for rank in range(1, sample_size + 1) %}
        max(case when request_rank = {{ rank }} then request_id end) as request_id_{{ rank }},
        {%- endfor %}
        alert_id
    from ranked_requests
    where request_rank <= {{ sample_size }}
    group by alert_id

),

families as (

    select * from {{ ref('int_incidents_inhibited') }}

),

below as (

    select
        families.parent_alert_id,
        children.alert_id as alert_id,
        children.severity as severity,
        children.window_end as window_end,
        children.resolving_period_end as resolving_period_end,
        children.opening_period_end > parents.resolving_period_end
        and (
            children.opening_period_start >= parents.resolving_period_end
            or {{ severity_rank('children.severity') }} < {{ severity_rank('parents.severity') }}
        ) as is_back
    from families
    inner join incidents as children
        on families.alert_id = children.alert_id
    inner join incidents as parents
        on families.parent_alert_id = parents.alert_id

),

-- A page is as severe as the worst of its cause. What comes back after it was resolved opens it again, and so does what
-- turns out worse; a day that is judged at midnight, when its dear hour is long over, does not.
children as (

    select
        parent_alert_id,
        count(*) as number_of_children,
        {{ sorted_list('alert_id', "'\", \"'") }} as children_ids,
        min({{ severity_rank('severity') }}) as worst_rank,
        max(case when is_back then window_end end) as last_seen_again,
        max(case when is_back then resolving_period_end end) as resolved_again,
        max(case when is_back and resolving_period_end is null then 1 else 0 end) as is_open_again
    from below
    group by parent_alert_id

),

standing as (

    select
        incidents.alert_id as alert_id,
        case
            when children.worst_rank < {{ severity_rank('incidents.severity') }}
                then case children.worst_rank when 1 then 'critical' else 'warning' end
            else incidents.severity
        end as severity,
        coalesce(children.last_seen_again, incidents.window_end) as last_seen_end,
        case
            when children.is_open_again = 1 then null
            when children.resolved_again > incidents.resolving_period_end then children.resolved_again
            else incidents.resolving_period_end
        end as resolved_end,
        coalesce(children.number_of_children, 0) as number_of_children,
        children.children_ids
    from incidents
    left join children
        on incidents.alert_id = children.parent_alert_id

),

final as (

    select
        incidents.alert_id as alert_id,
        incidents.fingerprint,
        families.parent_alert_id as parent_alert_id,
        families.parent_alert_id is null and incidents.severity != 'info' as is_page,
        incidents.rule_id as rule_id,
        standing.severity as severity,
        incidents.entity_type as entity_type,
        incidents.entity_id,
        incidents.period_type,
        incidents.metric as metric,
        {{ from_reporting_timezone('incidents.window_start') }} as window_start,
        {{ from_reporting_timezone('incidents.window_end') }} as window_end,
        {{ from_reporting_timezone('incidents.opening_period_end') }} as opened_at,
        {{ from_reporting_timezone('standing.last_seen_end') }} as last_seen_at,
        {{ from_reporting_timezone('standing.resolved_end') }} as resolved_at,
        case when standing.resolved_end is null then 'open' else 'resolved' end as status,
        incidents.observed_value,
        peaks.baseline as baseline_value,
        peaks.limit_value as threshold_value,
        ({{ ratio('incidents.observed_value', 'peaks.baseline') }} - 1) * 100 as change_percent,
        incidents.impact_usd,
        explained.likely_cause as likely_cause,
        explained.cause_explanation as cause_explanation,
        explained.recommended_action as recommended_action,
        cast(standing.number_of_children as {{ dbt.type_bigint() }}) as children,
        {{ dbt.concat(evidence) }} as evidence,
        coalesce(rules.owner, budgets.owner) as owner
    from incidents
    inner join {{ ref('stg_config__alert_rules') }} as rules
        on incidents.rule_id = rules.rule_id
    inner join families
        on incidents.alert_id = families.alert_id
    inner join {{ ref('int_incidents_explained') }} as explained
        on incidents.alert_id = explained.alert_id
    left join peaks
        on incidents.alert_id = peaks.alert_id
        and peaks.peak_rank = 1
    left join top_contributors
        on incidents.alert_id = top_contributors.alert_id
    left join samples
        on incidents.alert_id = samples.alert_id
    inner join standing
        on incidents.alert_id = standing.alert_id
    left join {{ ref('budget_status') }} as budgets
        on incidents.metric in {{ sql_list(budget_metrics()) }}
        and incidents.entity_type = budgets.scope_type
        and incidents.entity_id = budgets.scope_id
        and incidents.period_type = {{ budget_period_type('budgets') }}
        and incidents.opening_period_start >= budgets.period_start
        and incidents.opening_period_start < budgets.period_end

)

select * from final
