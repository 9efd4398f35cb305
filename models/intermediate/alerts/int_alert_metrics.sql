-- Everything a rule can look at, in one form: a value, what it is compared with and how far that strays by itself, how
-- many calls stand behind it and the dollars at stake.

{% set columns = [
    'metric', 'entity_type', 'entity_id', 'period_type', 'period_start', 'period_end', 'metric_value', 'baseline',
    'spread', 'samples', 'dollars',
] %}

{% for measured in [
    ref('int_budgets_measured'), ref('int_hours_measured'), ref('int_runs_measured'), ref('int_days_measured'),
    ref('int_shares_measured'), ref('int_prompt_versions_measured'), ref('int_routing_measured'),
    ref('int_margins_measured'), ref('int_log_measured'), ref('int_bills_measured'),
] -%}
select {{ columns | join(', ') }} from {{ measured }}
{{ 'union all' if not loop.last }}
{% endfor %}
