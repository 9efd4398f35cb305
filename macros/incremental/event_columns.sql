{#- The columns of an acceptable event, which its attempt carries too. -#}
{% macro event_columns() %}
    {{ return([
        'source', 'event_id', 'response_id', 'external_request_id', 'call_name', 'attempt_number', 'run_id', 'started_at', 'provider',
        'model', 'requested_model', 'service_tier', 'region', 'speed', 'status', 'error_code', 'task_succeeded',
        'latency_ms', 'cache_hit', 'endpoint_tag', 'prompt_version', 'feature_name', 'agent_id', 'workflow_id',
        'cost_group', 'tenant_id', 'user_id', 'user_type', 'team', 'project_id', 'api_key_id', 'environment', 'data_mode',
        'input_tokens', 'output_tokens', 'total_tokens', 'cached_input_tokens', 'cache_write_tokens',
        'cache_write_1h_tokens', 'reasoning_tokens', 'input_audio_tokens', 'output_audio_tokens', 'input_image_tokens',
        'output_image_tokens', 'cached_audio_tokens', 'cached_image_tokens', 'web_search_requests', 'other_usage',
        'reported_cost_usd', 'sample_rate', 'tags', '_loaded_at',
    ]) }}
{% endmacro %}

{#- What a staged row has: the fields of a usage event, the provider's id of the answer, how its tokens are counted, where
    it came from. `left_out_reason`: why it is no call. `is_unreadable`: whether a number in it is none. -#}
{% macro staged_types() %}
    {%- set types = {} -%}
    {%- for column in llm_spend.event_columns() if column != 'source' -%}{%- do types.update({column: dbt.type_string()}) -%}{%- endfor -%}
    {%- for column in types if column.endswith('_tokens') or column in ['attempt_number', 'latency_ms', 'web_search_requests'] -%}
        {%- do types.update({column: dbt.type_bigint()}) -%}
    {%- endfor -%}
    {%- do types.update({
        'started_at': llm_spend.type_utc_timestamp(), '_loaded_at': llm_spend.type_utc_timestamp(), 'cache_hit': dbt.type_boolean(),
        'task_succeeded': dbt.type_boolean(), 'reported_cost_usd': llm_spend.type_money(), 'sample_rate': llm_spend.type_unit_price(),
        '_input_includes_cache': dbt.type_boolean(), '_output_includes_reasoning': dbt.type_boolean(),
        '_source_file': dbt.type_string(), '_source_line': dbt.type_bigint(), '_row_hash': dbt.type_string(),
        'left_out_reason': dbt.type_string(), 'is_unreadable': dbt.type_boolean(),
    }) -%}
    {{ return(types) }}
{% endmacro %}

{#- Where a row of a landing table came from; a table of your own does not say it. -#}
{% macro place_columns() %}
    {{ return(['_source_file', '_source_line', '_row_hash'] if var('event_source', 'demo') == 'landing' else []) }}
{% endmacro %}

{#- All columns of a staged row: the given ones, its place, and nulls for what this log does not know. -#}
{% macro staged_columns(given) -%}
    {%- set columns = given + place_columns() -%}
    {{ return(llm_spend.typed_columns(dict(zip(columns, columns)), staged_types())) }}
{%- endmacro %}

{#- The columns of a usage event out of yours: `select {{ llm_spend.usage_event({'started_at': 'created_at', 'model': 'model_name'}) }}`.
    Each is an expression; what is not given is null, and a row counts as loaded when its call started. -#}
{% macro usage_event(given) -%}
    {%- set types = llm_spend.staged_types() -%}
    {%- for column in ['response_id', 'left_out_reason', 'is_unreadable'] -%}{%- do types.pop(column) -%}{%- endfor -%}
    {{ return(llm_spend.typed_columns(dict({'_loaded_at': given['started_at']}, **given), types)) }}
{%- endmacro %}

{% macro typed_columns(values, types) -%}
    {%- set columns = [] -%}
    {%- for column in values if column not in types -%}
        {{ exceptions.raise_compiler_error(column ~ ' is no field of a usage event; the fields are ' ~ types | join(', ')) }}
    {%- endfor -%}
    {%- for column, type in types.items() -%}
        {%- do columns.append('cast(' ~ values.get(column, 'null') ~ ' as ' ~ type ~ ') as ' ~ column) -%}
    {%- endfor -%}
    {{ return(columns | join(',\n        ')) }}
{%- endmacro %}
