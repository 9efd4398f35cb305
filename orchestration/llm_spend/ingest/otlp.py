"""OTLP/JSON, as the OpenTelemetry collector's file exporter writes it: a line is a batch, each span becomes a row."""

KEPT = (
    "(gen_ai|llm|llm_spend|openinference|traceloop|openai|anthropic|metadata|user|enduser|session|agent|tenant|service"
    "|deployment|error|exception|embedding[.]model_name|http[.](response[.]status_code|request[.]resend_count))"
    "([.]|$)"
)
"""Attributes that may say what a span is and what for. All others belong to spans that are only parents."""

CONTENT = (
    "gen_ai[.](input|output)[.]messages|gen_ai[.]system_instructions|gen_ai[.](prompt|completion)[.][0-9]"
    "|gen_ai[.]prompt$|gen_ai[.]completion$|gen_ai[.](content|headers|evaluation)|gen_ai[.]request[.](headers|stop)"
    "|gen_ai[.]tool[.](definitions|call[.](arguments|result)|description)|gen_ai[.]retrieval"
    "|llm[.](input|output)_messages|llm[.](request|response)[.]functions|llm[.](headers|prompts|completions|choices|tools)"
    "|llm[.](function_call|invocation_parameters)|llm[.]prompt_template[.](template|variables)"
    "|traceloop[.]entity[.](input|output)|traceloop[.]prompt[.]template(_variables)?$|traceloop[.]prompt[.]managed"
    "|exception[.](message|stacktrace)|error[.](message|stack)|metadata$"
)
"""Attributes that hold what was said, not what it cost: they do not land."""

METADATA = (
    *("tenant_id", "user_id", "endpoint_tag", "prompt_version", "feature_name", "workflow_id", "agent_id"),
    *("external_request_id", "environment", "session_id"),
)
"""What is read of the JSON object `metadata`."""

MESSAGE_USAGE = {
    "uncached_input_tokens": "input_tokens",
    "cached_input_tokens": "cache_read_input_tokens",
    "cache_write_tokens": "cache_creation_input_tokens",
    "cache_write_1h_tokens": "cache_creation.ephemeral_1h_input_tokens",
}
"""The counts of an Anthropic answer, whose input is without the cached."""

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
        ),
        listed as (
            select
                *,
                {_listed("attributes")} as resource_pairs,
                {_listed("json_extract(span, '$.attributes')")} as span_pairs,
                {_listed(f"json_extract({_exception()}, '$.attributes')")} as exception_pairs
            from spans
        ),
        {_landed("listed")}
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
            'span_attributes', span_object,
            'resource_attributes', resource_object,
            'position', position
        ) as varchar) as raw, cast(null as varchar) as problem
        from landed
        union all
        select line, raw, problem from batches where problem is not null
    """


def spans_of_rows(lines: str) -> str:
    """SQL: the same from lines that are a span each, its attributes an object of texts, as span tables are exported.

    Columns have the names of the landing table, or those of the collector's ClickHouse exporter.
    """
    names = {
        "trace_id": "TraceId",
        "span_id": "SpanId",
        "parent_span_id": "ParentSpanId",
        "name": "SpanName",
        "scope_name": "ScopeName",
        "started_at": "Timestamp",
        "ended_at": "EndTimestamp",
        "status_code": "StatusCode",
        "status_message": "StatusMessage",
    }
    values = "".join(f"'{own}', coalesce({_text(own)}, {_text(other)}),\n" for own, other in names.items())
    return f"""
        with judged as (
            select line, raw, case
                when problem is not null then problem
                when not json_valid(raw) then 'not valid JSON'
                when json_type(raw) <> 'OBJECT' then 'not a JSON object'
            end as problem
            from ({lines})
        ),
        listed as (
            select
                *,
                {_listed_object("span_attributes", "SpanAttributes")} as span_pairs,
                {_listed_object("resource_attributes", "ResourceAttributes")} as resource_pairs,
                [] as exception_pairs
            from judged where problem is null
        ),
        {_landed("listed")}
        select line, cast(json_object(
            {values}
            'span_attributes', span_object,
            'resource_attributes', resource_object
        ) as varchar) as raw, cast(null as varchar) as problem
        from landed
        union all
        select line, raw, problem from judged where problem is not null
    """


def _text(column: str) -> str:
    return f"json_extract_string(raw, '$.{column}')"


def _exception() -> str:
    events = "coalesce(json_extract(span, '$.events[*]'), [])"
    return f"list_filter({events}, lambda event: json_extract_string(event, '$.name') = 'exception')[1]"


def _listed(attributes: str) -> str:
    """SQL: OTLP attributes as a list of key and text."""
    value = ", ".join(f"json_extract_string(one, '$.value.{kind}')" for kind in _VALUE_KINDS)
    return f"""list_transform(coalesce(json_extract({attributes}, '$[*]'), []), lambda one: struct_pack(
        k := json_extract_string(one, '$.key'),
        v := coalesce(
            {value}, cast(json_extract(one, '$.value.arrayValue.values') as varchar),
            cast(json_extract(one, '$.value.kvlistValue.values') as varchar)
        )
    ))"""


def _listed_object(*columns: str) -> str:
    """SQL: an object of texts in the first of these columns, or a text that holds one, as a list of key and text."""
    text = f"coalesce({', '.join(_text(column) for column in columns)})"
    pointer = "'/' || replace(replace(key, '~', '~0'), '/', '~1')"
    return f"""list_transform(
        coalesce(json_keys({_object_in(text)}), []),
        lambda key: struct_pack(k := key, v := json_extract_string({_object_in(text)}, {pointer}))
    )"""


def _landed(listed: str) -> str:
    """SQL: the CTE `landed` with the objects that land: what is no content, and of content what identifies or measures.

    `llm_spend.response_id` and the like are of the provider's answer or request, which OpenInference keeps as text.
    """
    answer = "json_extract_string(answer, '$.{}')".format
    derived = {
        "llm_spend.response_id": answer("id"),
        "llm_spend.service_tier": f"coalesce({answer('service_tier')}, {answer('usage.service_tier')})",
        **{
            f"llm_spend.{count}": f"case when {answer('type')} = 'message' then {answer(f'usage.{name}')} end"
            for count, name in MESSAGE_USAGE.items()
        },
        "llm_spend.requested_model": "json_extract_string(request, '$.model')",
        "exception.type": _value("exception_pairs", "exception.type"),
        **{f"metadata.{name}": f"json_extract_string(metadata, '$.{name}')" for name in METADATA},
    }
    added = ", ".join(f"struct_pack(k := '{key}', v := {value})" for key, value in derived.items())
    return f"""
        opened as (
            select
                *,
                {_object_in(_value("span_pairs", "output.value"))} as output,
                {_object_in(_value("span_pairs", "llm.invocation_parameters", "embedding.invocation_parameters"))}
                    as request,
                {_object_in(_value("span_pairs", "metadata"))} as metadata
            from {listed}
        ),
        answered as (
            select
                *,
                case
                    when json_extract_string(output, '$.object') = 'response'
                        or starts_with(json_extract_string(output, '$.object'), 'chat.completion')
                        or json_extract_string(output, '$.type') = 'message'
                        then output
                end as answer
            from opened
        ),
        told as (
            select
                * replace (
                    list_concat({_without_content("span_pairs")}, [{added}]) as span_pairs,
                    {_without_content("resource_pairs")} as resource_pairs
                )
            from answered
        ),
        landed as (
            select *, {_object("span_pairs")} as span_object, {_object("resource_pairs")} as resource_object from told
        )"""


def _without_content(pairs: str) -> str:
    return f"""list_filter({pairs}, lambda one:
        regexp_matches(one.k, '^{KEPT}') and not regexp_matches(one.k, '^({CONTENT})')
    )"""


def _object(pairs: str) -> str:
    """SQL: a list of key and text as one object; of a key that stands twice the first that has a value counts."""
    told = f"list_filter({pairs}, lambda one: one.v is not null)"
    keys = f"list_transform({told}, lambda other: other.k)"
    return f"to_json(map_from_entries(list_filter({told}, lambda one, place: list_position({keys}, one.k) = place)))"


def _value(pairs: str, *keys: str) -> str:
    named = ", ".join(f"'{key}'" for key in keys)
    return f"list_filter({pairs}, lambda one: one.k in ({named}))[1].v"


def _object_in(text: str) -> str:
    """SQL: the text, if it is a JSON object."""
    return f"case when json_valid({text}) then case when json_type({text}) = 'OBJECT' then {text} end end"
