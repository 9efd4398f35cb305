{#- The columns of an acceptable event, which its attempt carries too. -#}
{% macro event_columns() %}
    {{ return([
        'source', 'event_id', 'external_request_id', 'call_name', 'attempt_number', 'run_id', 'started_at', 'provider',
        'model', 'requested_model', 'service_tier', 'region', 'speed', 'status', 'error_code', 'task_succeeded',
        'latency_ms', 'cache_hit', 'endpoint_tag', 'prompt_version', 'feature_name', 'agent_id', 'workflow_id',
        'cost_group', 'tenant_id', 'user_id', 'user_type', 'team', 'project_id', 'api_key_id', 'environment', 'data_mode',
        'input_tokens', 'output_tokens', 'total_tokens', 'cached_input_tokens', 'cache_write_tokens',
        'cache_write_1h_tokens', 'reasoning_tokens', 'input_audio_tokens', 'output_audio_tokens', 'input_image_tokens',
        'output_image_tokens', 'cached_audio_tokens', 'cached_image_tokens', 'web_search_requests', 'other_usage',
        'reported_cost_usd', 'sample_rate', 'tags', '_loaded_at',
    ]) }}
{% endmacro %}
