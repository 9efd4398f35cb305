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
