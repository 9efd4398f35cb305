-- Whom a call was for and what for: the nearest span up its trace that says it, else the resource. On the way up stands
-- the call, too, that this one is a part of.

{{ config(enabled='otel' in usage_sources(), materialized='table') }}

{% set context = span_context_attributes() %}

with spans as (

    select * from {{ ref('stg_otel__distinct_spans') }}

),

level_0 as (

    select
        trace_id,
        span_id,
        parent_span_id as next_span_id,
        cast(null as {{ dbt.type_string() }}) as enclosing,
        {{ context | join(',\n        ') }}
    from spans
    where is_call

),

{% for level in range(1, span_levels() + 1) -%}
level_{{ level }} as (

    select
        below.trace_id as trace_id,
        below.span_id as span_id,
        -- what a tool calls is a call of its own
        coalesce(
            below.enclosing,
            case when above.is_tool then '' when above.is_call then above.span_id end
        ) as enclosing,
        {% for field in context -%}
        coalesce(below.{{ field }}, above.{{ field }}) as {{ field }},
        {% endfor -%}
        above.parent_span_id as next_span_id
    from level_{{ level - 1 }} as below
    left join spans as above
        on below.trace_id = above.trace_id
        and below.next_span_id = above.span_id

),

{% endfor -%}
final as (

    select
        walked.trace_id as trace_id,
        walked.span_id as span_id,
        nullif(walked.enclosing, '') as enclosing_span_id,
        {% for field, names in context.items() -%}
        coalesce(
            walked.{{ field }},
            nullif({{ first_json_value('spans.resource_attributes', names) }}, '')
        ) as {{ field }},
        {% endfor -%}
        {{ json_value('spans.resource_attributes', 'service.name') }} as service_name
    from level_{{ span_levels() }} as walked
    inner join spans
        on walked.trace_id = spans.trace_id
        and walked.span_id = spans.span_id

)

select * from final
