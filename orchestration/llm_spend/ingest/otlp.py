"""OTLP/JSON, as the OpenTelemetry collector's file exporter writes it: a line is a batch, each span becomes a row."""

CONTENT = (
    "gen_ai[.](input|output)[.]messages|gen_ai[.]system_instructions|gen_ai[.](prompt|completion)[.][0-9]"
    "|gen_ai[.]tool[.](definitions|call[.](arguments|result))|llm[.](input|output)_messages|llm[.]request[.]functions"
    "|llm[.](prompts|completions|tools|prompt_template|invocation_parameters)|(input|output)[.]value"
    "|traceloop[.]entity[.](input|output)"
)
"""Attributes that hold what was said, not what it cost: they do not land."""

_VALUE_KINDS = ("stringValue", "intValue", "doubleValue", "boolValue", "bytesValue")


def spans_of_batches(lines: str) -> str:
    """SQL: line, raw, problem of each span, from a select of lines; `raw` is an object with attributes as objects.

    A line that is no batch of spans stays as it is, with its problem.
    """
    return f"""
        with batches as (
            select line, raw, case
                when problem is not null then problem
                when not json_valid(raw) then 'not valid JSON'
                when json_exists(raw, '$.resourceLogs') or json_exists(raw, '$.resourceMetrics')
                    then 'a batch of logs or metrics, not of spans'
                when coalesce(json_type(raw, '$.resourceSpans'), '') <> 'ARRAY'
                    then 'no batch of spans: resourceSpans is missing'
            end as problem
            from ({lines})
        ),
        resources as (
            select line, unnest(json_extract(raw, '$.resourceSpans[*]')) as resource
            from batches where problem is null
        ),
        scopes as (
            select
                line,
                json_extract(resource, '$.resource.attributes') as attributes,
                unnest(json_extract(resource, '$.scopeSpans[*]')) as scope
            from resources
        ),
        spans as (
            select
                line,
                attributes,
                json_extract_string(scope, '$.scope.name') as scope_name,
                unnest(json_extract(scope, '$.spans[*]')) as span,
                generate_subscripts(json_extract(scope, '$.spans[*]'), 1) as position
            from scopes
        )
        select line, cast(json_object(
            'trace_id', json_extract(span, '$.traceId'),
            'span_id', json_extract(span, '$.spanId'),
            'parent_span_id', json_extract(span, '$.parentSpanId'),
            'name', json_extract(span, '$.name'),
            'scope_name', scope_name,
            'started_at', json_extract(span, '$.startTimeUnixNano'),
            'ended_at', json_extract(span, '$.endTimeUnixNano'),
            'status_code', json_extract(span, '$.status.code'),
            'status_message', json_extract(span, '$.status.message'),
            'span_attributes', {_object("json_extract(span, '$.attributes')")},
            'resource_attributes', {_object("attributes")},
            'position', position
        ) as varchar) as raw, cast(null as varchar) as problem
        from spans
        union all
        select line, raw, problem from batches where problem is not null
    """


def _object(attributes: str) -> str:
    """SQL: a list of key and value as one object of texts; of a key that stands twice the first counts."""
    pairs = f"coalesce(json_extract({attributes}, '$[*]'), [])"
    keys = f"list_transform({pairs}, lambda one: json_extract_string(one, '$.key'))"
    value = ", ".join(f"json_extract_string(one, '$.value.{kind}')" for kind in _VALUE_KINDS)
    return f"""to_json(map_from_entries(list_transform(
        list_filter({pairs}, lambda one, place:
            list_position({keys}, json_extract_string(one, '$.key')) = place
            and not regexp_matches(json_extract_string(one, '$.key'), '^({CONTENT})')
        ),
        lambda one: struct_pack(k := json_extract_string(one, '$.key'), v := coalesce(
            {value}, cast(json_extract(one, '$.value.arrayValue.values') as varchar),
            cast(json_extract(one, '$.value.kvlistValue.values') as varchar)
        ))
    )))"""
