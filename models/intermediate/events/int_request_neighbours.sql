-- Attempts of other days under the request ids of this run's days: they decide what is a retry, and stay as they are.

-- depends_on: {{ ref('int_touched_days') }}
-- depends_on: {{ ref('int_read_days') }}

{% set attempts = built_relation('fct_llm_attempts') %}
{% set columns = [
    'source', 'event_id', 'external_request_id', 'call_name', 'tenant_id', 'environment', 'data_mode', 'endpoint_tag',
    'started_at', 'status', 'latency_ms', 'usage_date_utc',
] %}

{% if attempts and not restates_everything() -%}
select
    attempts.{{ columns | join(',\n    attempts.') }}
from {{ attempts }} as attempts
left join {{ ref('int_touched_days') }} as touched_days
    on attempts.usage_date_utc = touched_days.usage_date_utc
where
    {{ between_days_of('attempts.usage_date_utc', 'int_read_days') }}
    and touched_days.usage_date_utc is null
    and attempts.external_request_id in (
        select events.external_request_id
        from {{ ref('int_usage_events_identified') }} as events
        where events.external_request_id is not null
    )
{%- else -%}
select {{ columns | join(',\n    ') }}
from {{ ref('int_usage_events_identified') }}
where 1 = 0
{%- endif %}
