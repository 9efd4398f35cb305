-- Spans once each, whatever was delivered again, for calls are told apart by the spans above them. A table: the walk up
-- the trace reads it a dozen times.

{{ config(enabled='otel' in usage_sources(), materialized='table') }}

{% set is_landing = var('event_source', 'demo') == 'landing' %}
{% set arrived_at = '_loaded_at' if is_landing else 'coalesce(ended_at, started_at)' %}
{% set place = '_loaded_at desc, _source_file desc, _source_line desc' %}
{% set last_first = place if is_landing else 'ended_at desc, started_at' %}
{% set other_operations = [
    'invoke_agent', 'create_agent', 'execute_tool', 'invoke_workflow', 'fetch_response', 'retrieval', 'plan',
] %}
{% set call_operations = [
    'chat', 'text_completion', 'completion', 'generate_content', 'embeddings', 'embedding', 'responses',
] %}

with deliveries as (

    select
        trace_id,
        span_id,
        nullif(parent_span_id, '') as parent_span_id,
        name,
        scope_name,
        started_at,
        ended_at,
        coalesce(
            lower(cast(status_code as {{ dbt.type_string() }})) in ('2', 'error', 'status_code_error'), false
        ) as has_error_status,
        status_message,
        span_attributes,
        resource_attributes,
        -- what arrives late may say of whom the calls of its trace were
        max({{ arrived_at }}) over (partition by trace_id) as _loaded_at,
        row_number() over (partition by trace_id, span_id order by {{ last_first }}) as delivery
    from {{ source('otel', 'spans') }}

),

kinds as (

    select
        *,
        {{ json_value('span_attributes', 'gen_ai.operation.name') }} as operation_name,
        {{ json_value('span_attributes', 'openinference.span.kind') }} as openinference_kind,
        {{ json_value('span_attributes', 'traceloop.span.kind') }} as traceloop_kind,
        {{ json_value('span_attributes', 'llm.request.type') }} as request_type,
        {{ json_value('span_attributes', 'gen_ai.response.id') }} as response_id
    from deliveries
    where delivery = 1

),

final as (

    select
        trace_id,
        span_id,
        parent_span_id,
        scope_name,
        started_at,
        ended_at,
        has_error_status,
        status_message,
        span_attributes,
        resource_attributes,
        _loaded_at,
        case
            when name like '%count_tokens%' or traceloop_kind is not null then false
            when operation_name in {{ sql_list(other_operations) }} then false
            when openinference_kind is not null then upper(openinference_kind) in ('LLM', 'EMBEDDING')
            when operation_name is not null then operation_name in {{ sql_list(call_operations) }}
            when request_type is not null then request_type in ('chat', 'completion', 'embedding')
            else response_id is not null
        end as is_call,
        coalesce(operation_name = 'execute_tool', false)
        or coalesce(upper(openinference_kind) = 'TOOL', false)
        or coalesce(traceloop_kind = 'tool', false) as is_tool,
        coalesce(operation_name in ('embeddings', 'embedding'), false)
        or coalesce(upper(openinference_kind) = 'EMBEDDING', false)
        or coalesce(request_type = 'embedding', false) as is_embedding,
        {% for field, names in span_context_attributes().items() -%}
        nullif({{ first_json_value('span_attributes', names) }}, '') as {{ field }},
        {% endfor -%}
        request_type
    from kinds

)

select * from final
