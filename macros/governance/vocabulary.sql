{#- Values the usage event may carry; anything else is quarantined. -#}
{% macro accepted_statuses() %}{{ return(['success', 'error', 'timeout', 'rate_limited', 'cancelled']) }}{% endmacro %}
{% macro accepted_environments() %}{{ return(['prod', 'staging', 'dev']) }}{% endmacro %}
{% macro accepted_data_modes() %}{{ return(['real', 'test', 'demo']) }}{% endmacro %}
{% macro accepted_user_types() %}{{ return(['human', 'service', 'anonymous']) }}{% endmacro %}

{#- Keys that `other_usage` may carry, each with a whole, non-negative quantity. -#}
{% macro other_usage_types() %}
    {{ return(usage_types().values() | selectattr('key', 'defined') | map(attribute='key') | list) }}
{% endmacro %}

{#- What dollars are grouped by, and the attempts' column that says so. Users are apart: they carry a type. -#}
{% macro entity_columns() %}
    {{ return({
        'tenant': 'tenant_id', 'team': 'team', 'endpoint': 'endpoint_tag', 'feature': 'feature_name',
        'agent': 'agent_id', 'workflow': 'workflow_id', 'cost_group': 'cost_group', 'project': 'project_id',
        'api_key': 'api_key_id', 'provider': 'provider', 'model': 'model',
    }) }}
{% endmacro %}

{#- Single callers, whom only the attempts know. -#}
{% macro caller_columns() %}{{ return({'user': 'user_id', 'run': 'run_id'}) }}{% endmacro %}

{#- The same for what is kept by the hour. -#}
{% macro hourly_entity_columns() %}
    {{ return({'tenant': 'tenant_id', 'endpoint': 'endpoint_tag', 'workflow': 'workflow_id', 'model': 'model'}) }}
{% endmacro %}

{#- What a budget may limit, over what time. -#}
{% macro budget_scopes() %}{{ return(['total'] + entity_columns().keys() | list + ['user']) }}{% endmacro %}
{% macro hourly_budget_scopes() %}{{ return(['total'] + hourly_entity_columns().keys() | list) }}{% endmacro %}
{% macro budget_periods() %}{{ return(['hourly', 'daily', 'weekly', 'monthly']) }}{% endmacro %}

{#- Metrics of budgets: the share used, and apart from the rest that of an hourly budget in a tenant's contract. -#}
{% macro budget_metrics() %}{{ return(['budget_use', 'contracted_hourly_use']) }}{% endmacro %}

{#- What the periods of one budget are called in alerts: a scope may have a budget of its own for all traffic, and one in
    its contract. -#}
{% macro budget_period_type(budgets) -%}
    {{ return(dbt.concat([
        budgets ~ '.period',
        'case when ' ~ budgets ~ ".traffic = 'all' then ', all traffic' else '' end",
        'case when ' ~ budgets ~ ".budget_kind = 'contracted' then ', contracted' else '' end",
    ])) }}
{%- endmacro %}

{% macro is_of_all_traffic(period_type) %}{{ period_type }} like '%, all traffic%'{% endmacro %}

{#- A budget warns at up to so many shares of its amount; the first is the lowest. -#}
{% macro most_thresholds() %}{{ return(5) }}{% endmacro %}
{% macro threshold_column(place) %}{{ return('warning_ratio' ~ ('_' ~ place if place > 1 else '')) }}{% endmacro %}

{#- What nobody put a name on stays visible under this one. -#}
{% macro unattributed() %}'(unattributed)'{% endmacro %}

{% macro sql_list(values) %}('{{ values | join("', '") }}'){% endmacro %}

{#- No call has more than ten billion of anything; a larger number is a broken row, and would overflow its cost. -#}
{% macro max_count() %}10000000000{% endmacro %}

{#- Is the text one flat json object of known usage types and whole quantities? -#}
{% macro is_known_usage(json_text) -%}
{%- set pair = '"(' ~ other_usage_types() | join('|') ~ ')" *: *[0-9]+' -%}
{{ regex_matches(json_text, "'^ *[{] *(" ~ pair ~ " *(, *" ~ pair ~ " *)*)?[}] *$'") }}
{%- endmacro %}

{#- What alert rules can look at: of whom it is measured, and whether it is an amount of money or calls, which is known
    however few calls it has. -#}
{% macro alert_metrics() %}
    {{ return({
        'budget_use': {'of': budget_scopes(), 'is_amount': true},
        'contracted_hourly_use': {'of': ['tenant'], 'is_amount': true},
        'budget_forecast': {'of': budget_scopes()},
        'hourly_cost': {'of': ['total', 'endpoint', 'tenant', 'workflow'], 'is_amount': true},
        'hourly_requests': {'of': ['endpoint'], 'is_amount': true},
        'run_cost': {'of': ['workflow', 'agent'], 'is_amount': true},
        'daily_cost': {'of': ['total', 'endpoint', 'tenant', 'workflow'], 'is_amount': true},
        'daily_cost_in_week': {'of': ['tenant', 'workflow'], 'is_amount': true},
        'daily_requests': {'of': ['endpoint', 'tenant', 'user'], 'is_amount': true},
        'daily_requests_in_trend': {'of': ['endpoint', 'tenant'], 'is_amount': true},
        'retry_multiplier': {'of': ['endpoint']},
        'tokens_per_request': {'of': ['endpoint']},
        'cost_per_token': {'of': ['endpoint', 'model']},
        'cache_hit_ratio': {'of': ['endpoint']},
        'untagged_cost_ratio': {'of': ['total']},
        'cost_share_gain': {'of': ['endpoint', 'tenant', 'user']},
        'cost_per_request_ratio': {'of': ['prompt_version']},
        'tokens_per_request_ratio': {'of': ['prompt_version']},
        'dearer_model_gain': {'of': ['prompt_version']},
        'cost_to_revenue': {'of': ['tenant']},
        'bill_gap': {'of': ['provider'], 'is_amount': true},
        'unpriced_calls': {'of': ['model'], 'is_amount': true},
        'hours_without_data': {'of': ['total']},
    }) }}
{% endmacro %}

{% macro amount_metrics() -%}
    {%- set amounts = [] -%}
    {%- for metric, about in alert_metrics().items() if about.is_amount -%}{%- do amounts.append(metric) -%}{%- endfor -%}
    {{ return(amounts) }}
{%- endmacro %}

{#- How a rule compares, how urgent it is, and of whom it may speak. -#}
{% macro alert_kinds() %}
    {{ return(['above', 'below', 'above_baseline', 'below_baseline', 'reaches_baseline', 'deviates', 'drift']) }}
{% endmacro %}
{% macro alert_severities() %}{{ return(['critical', 'warning', 'info']) }}{% endmacro %}
{% macro alert_entity_types() %}{{ return(budget_scopes() + ['prompt_version']) }}{% endmacro %}
