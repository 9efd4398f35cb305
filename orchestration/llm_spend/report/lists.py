"""Rows of the marts that the page shows as they are, each by a statement that can be run again."""

from datetime import date
from typing import Any

import duckdb

from llm_spend.report.encoding import encode

LISTS = {
    "budgets": """
select
    scope_type, scope_id, period, traffic, owner, amount_usd, spent_usd, left_usd, projected_usd, exhausted_on_date,
    status, period_start_date, period_end_date
from marts.budget_status
where is_current
order by
    case status when 'exceeded' then 1 when 'forecast_exceeded' then 2 when 'warning' then 3 else 4 end,
    spent_share_ratio desc nulls last, scope_type, scope_id, period, traffic
limit 100""",
    "versions": """
select
    endpoint_tag, prompt_version, predecessor, first_seen_date, requests_before, requests_after,
    cost_per_request_before_usd, cost_per_request_after_usd, cost_per_request_ratio, cost_per_request_lower_ratio,
    cost_per_request_upper_ratio, tokens_per_request_ratio, rollback_savings_per_30_days_usd, cost_effect_to_date_usd,
    verdict, change_note, owner
from marts.prompt_version_deltas
order by
    case verdict when 'regression' then 1 when 'improvement' then 2 when 'no_clear_change' then 3 else 4 end,
    abs(rollback_savings_per_30_days_usd) desc nulls last, endpoint_tag, prompt_version, episode
limit 100""",
    "silent_changes": """
select
    endpoint_tag, prompt_version, changed_on, main_model_before, main_model_after, attempts_after,
    cost_per_attempt_before_usd, cost_per_attempt_after_usd, cost_effect_7_days_usd
from marts.silent_model_changes
order by abs(cost_effect_7_days_usd) desc nulls last, endpoint_tag, prompt_version, changed_on
limit 50""",
    "routing": """
select
    endpoint_tag, priced_model_id as model, candidate_model_id as candidate, attempts, cost_usd, candidate_cost_usd,
    savings_usd, savings_ratio, success_ratio, candidate_success_ratio, note
from marts.routing_opportunities
where savings_usd > 0
order by savings_usd desc, endpoint_tag, model, candidate
limit 50""",
    "hidden_retries": """
select
    entity_id as endpoint_tag, sum(hidden_retries) as hidden_retries,
    sum(hidden_retries_cost_usd) as hidden_retries_cost_usd
from marts.retry_multipliers
where entity_type = 'endpoint'
group by entity_id
having sum(hidden_retries) > 0
order by hidden_retries_cost_usd desc, endpoint_tag
limit 20""",
    "rows": """
select
    source, raw_rows, accepted_rows, duplicate_rows, quarantined_rows, rejected_rows, merged_rows, left_out_rows,
    raw_rows_gone
from marts.spend_coverage
order by source""",
    "coverage": """
select outcome, sum(row_count) as row_count, sum(input_tokens) as input_tokens, sum(output_tokens) as output_tokens,
    sum(cost_usd) as cost_usd
from marts.spend_coverage_by_outcome
group by outcome
order by row_count desc, outcome""",
    "bills": """
select
    provider, usage_month, billed_cost_usd, our_cost_usd, coverage_usd, tokens_usd, price_usd, non_token_usd, fixed_usd,
    timing_usd, unexplained_usd, matched_ratio, explained_ratio, status
from marts.monthly_reconciliation
order by usage_month desc, provider
limit 48""",
    "bill_gaps": """
select
    provider, charge_kind, project_id, api_key_id, model, min(usage_date_utc) as first_date,
    max(usage_date_utc) as last_date, sum(billed_cost_usd) as billed_cost_usd, sum(our_cost_usd) as our_cost_usd,
    sum(difference_usd) as difference_usd, sum(coverage_usd) as coverage_usd, sum(tokens_usd) as tokens_usd,
    sum(price_usd) as price_usd, sum(timing_usd) as timing_usd
from marts.provider_reconciliation
where difference_usd != 0
group by provider, charge_kind, project_id, api_key_id, model
order by sum(abs(difference_usd)) desc, provider, charge_kind, project_id, api_key_id, model
limit 50""",
    "unpriced": """
select
    provider, model, cost_status, sum(attempts) as attempts, sum(input_tokens) as input_tokens,
    sum(output_tokens) as output_tokens, max(nearest_models) as nearest_models
from marts.unpriced_usage
group by provider, model, cost_status
order by attempts desc, provider, model, cost_status
limit 50""",
    "health": """
select
    check_name, sum(checked_calls) as checked_calls, sum(failed_calls) as failed_calls,
    sum(cost_usd) as cost_usd, max(what_to_do) as what_to_do
from marts.instrumentation_health
group by check_name
order by failed_calls desc, check_name""",
    "refused": """
select outcome, source, reason, count(*) as refused_rows
from marts.quarantined_events
group by outcome, source, reason
order by refused_rows desc, outcome, source, reason
limit 50""",
    "alerts": """
select
    alerts.alert_id, alerts.parent_alert_id, alerts.is_page, alerts.rule_id, alerts.severity, alerts.entity_type,
    alerts.entity_id, versions.endpoint_tag, versions.prompt_version, alerts.window_start, alerts.window_end,
    alerts.opened_at, alerts.resolved_at, alerts.status, alerts.observed_value, alerts.baseline_value,
    alerts.change_percent, alerts.impact_usd, alerts.cause_explanation, alerts.recommended_action, alerts.children,
    alerts.owner, alerts.evidence
from marts.alerts
left join (select distinct endpoint_tag, prompt_version from marts.dim_prompt_versions) as versions
    on
        alerts.entity_type = 'prompt_version'
        and alerts.entity_id = versions.endpoint_tag || ' ' || versions.prompt_version
order by
    alerts.is_page desc, alerts.status,
    case alerts.severity when 'critical' then 1 when 'warning' then 2 else 3 end, alerts.opened_at desc, alerts.alert_id
limit 150""",
    "contributors": """
select alert_id, entity_type, entity_id, cost_usd, usual_cost_usd, beyond_usual_usd
from marts.alert_contributors
where
    contributor_rank <= 3
    and beyond_usual_usd > 0
    and entity_type in ('tenant', 'endpoint', 'model', 'prompt_version', 'agent', 'user')
    and alert_id in (
        select alert_id from marts.alerts where is_page order by status, opened_at desc, alert_id limit 40
    )
order by alert_id, entity_type, contributor_rank""",
}
"""Name → SQL on the marts alone, ordered to the last row."""


def read_lists(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Name → its statement and rows."""
    return {name: _read(connection, sql) for name, sql in LISTS.items()}


def _read(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    cursor = connection.execute(sql)
    return {"sql": sql.strip()} | encode([column[0] for column in cursor.description], cursor.fetchall())


DRIVERS = """
select period_type, period_start, entity_type, entity_id, driver, cost_change_usd, cost_usd_before, cost_usd_after
from marts.spend_change_drivers
where
    period_type in ('week', 'month') and period_start >= date_trunc('month', cast($1 as date))
    and (
        entity_type = 'total'
        or entity_type in ('tenant', 'endpoint')
        and (entity_type, entity_id) in (
            select (dimension, name) from kept where dimension in ('tenant', 'endpoint')
        )
    )
order by period_type desc, period_start desc, entity_type, entity_id, driver
limit 8000
"""


def read_drivers(connection: duckdb.DuckDBPyConnection, first_day: date | None) -> dict[str, Any]:
    """Why the spend of each week and month changed, for all and for the tenants and endpoints in `kept`."""
    cursor = connection.execute(DRIVERS, [first_day])
    return encode([column[0] for column in cursor.description], cursor.fetchall())


SAMPLES = """
with attempts as (

    select * from marts.fct_llm_attempts where usage_date >= $1 and cost_usd > 0

),

dearest as (

    select unnest(max_by(request_key, cost_usd, 8)) as request_key, 1 as place
    from attempts
    where
        endpoint_tag in (select name from kept where dimension = 'endpoint')
        and prompt_version in (select name from kept where dimension = 'version')
    group by endpoint_tag, prompt_version

    union all

    select unnest(max_by(request_key, cost_usd, 2)) as request_key, 2 as place
    from attempts
    where
        endpoint_tag in (select name from kept where dimension = 'endpoint')
        and user_id in (select name from kept where dimension = 'user')
    group by endpoint_tag, prompt_version, user_id

),

of_alerts as (

    select unnest(from_json(evidence -> 'sample_request_ids', '["VARCHAR"]')) as request_id
    from marts.alerts
    where is_page and evidence is not null

),

chosen as (

    select request_key, min(place) as place from dearest group by request_key

    union

    select request_key, 0 as place
    from marts.fct_llm_attempts
    where external_request_id in (select request_id from of_alerts)

),

first_chosen as (

    select request_key, min(place) as place from chosen group by request_key

)

select
    coalesce(max(attempts.external_request_id), min(attempts.event_id)) as request,
    arg_max(attempts.event_id, attempts.cost_usd) as event,
    min(attempts.started_at) as started_at,
    min(attempts.usage_date) as day,
    any_value(attempts.environment || ' ' || attempts.data_mode) as traffic,
    any_value(attempts.tenant_id) as tenant,
    any_value(attempts.endpoint_tag) as endpoint,
    arg_min(attempts.prompt_version, attempts.started_at) as version,
    any_value(attempts.user_id) as user,
    arg_max(attempts.model, attempts.cost_usd) as model,
    count(*) as attempts,
    sum(attempts.input_tokens) as input_tokens,
    sum(attempts.output_tokens) as output_tokens,
    sum(attempts.cost_usd) as cost,
    arg_max(attempts.status, attempts.started_at) as status
from marts.fct_llm_attempts as attempts
inner join first_chosen on attempts.request_key = first_chosen.request_key
group by attempts.request_key
order by min(first_chosen.place), cost desc, request
limit 1200
"""


def read_samples(connection: duckdb.DuckDBPyConnection, first_day: date | None) -> dict[str, Any]:
    """The dearest requests of each version of an endpoint and of its dearest users, and those that alerts name."""
    cursor = connection.execute(SAMPLES, [first_day])
    return encode([column[0] for column in cursor.description], cursor.fetchall())
