{#- What a line of alert_causes.csv may look at: columns of int_incident_signals, the larger the stranger. -#}
{% macro incident_signals() %}
    {{ return([
        'requests_ratio', 'attempts_per_request_ratio', 'input_tokens_ratio', 'output_tokens_ratio', 'cached_share_drop',
        'unit_price_ratio', 'dearer_model_share', 'long_run_share', 'test_traffic_share', 'new_untagged_share',
        'new_unpriced_share',
    ]) }}
{% endmacro %}
