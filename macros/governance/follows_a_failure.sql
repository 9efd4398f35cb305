{#- Does a first attempt look like the retry of a failed one under another id? It starts within seconds of the end of a failed
    call for the same user, model and endpoint, with the same input where both tell it. Two honest questions could look like
    that too. No failure of its own request can come before a first attempt. `reached_date_utc` is the failure's UTC date or
    the next one: without it all calls of a busy user would meet. -#}
{% macro follows_a_failure(first_attempts, failures) -%}
    {%- set seconds = 15 -%}
    {{ first_attempts }}.usage_date_utc = {{ failures }}.reached_date_utc
        and {{ first_attempts }}.user_id = {{ failures }}.user_id
        and {{ first_attempts }}.tenant_id = {{ failures }}.tenant_id
        and {{ first_attempts }}.endpoint_tag = {{ failures }}.endpoint_tag
        and {{ first_attempts }}.model = {{ failures }}.model
        and {{ first_attempts }}.started_at > {{ failures }}.started_at
        and {{ milliseconds_between(failures ~ '.started_at', first_attempts ~ '.started_at') }}
        <= {{ seconds }} * 1000 + coalesce({{ failures }}.latency_ms, 0)
        and coalesce({{ first_attempts }}.input_tokens, {{ failures }}.input_tokens, 0)
        = coalesce({{ failures }}.input_tokens, {{ first_attempts }}.input_tokens, 0)
{%- endmacro %}
