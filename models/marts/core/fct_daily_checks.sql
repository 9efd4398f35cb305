-- What single calls say about the log they came from. One pass over the attempts; the checks that compare days or
-- depend on the configuration are made on fct_daily_calls.

{{ replaces_days(day='usage_date', days='int_checked_dates') }}

-- depends_on: {{ ref('int_checked_dates') }}

{% set is_read = 'true' %}
{% set first_is_read = 'is_in_scope and is_first_attempt' %}
{% set failure_is_read = 'is_in_scope and not is_useful' %}
{% if is_incremental() %}
    {% set is_read = on_days_of('usage_date', 'int_checked_dates', 'usage_date') ~ ' and '
        ~ between_days_of('usage_date_utc', 'int_checked_dates', 'usage_date', shifts=[-1, 0, 1]) %}
    {% set first_is_read = first_is_read ~ ' and ' ~ is_read %}
    {# a failure of the evening before too #}
    {% set failure_is_read = failure_is_read ~ ' and '
        ~ between_days_of('usage_date_utc', 'int_checked_dates', 'usage_date', shifts=range(-2, 2)) %}
{% endif %}

{% set service_words = ['svc', 'service', 'bot', 'robot', 'cron', 'daemon', 'worker', 'system'] %}

{# Which calls a check can judge, and which of them fail it. #}
{% set checks = {
    'without_request_id': ('true', 'external_request_id is null'),
    'reused_request_id': (
        'external_request_id is not null', 'is_first_attempt and call_ordinal > 1 and call_name is null'
    ),
    'without_tenant': ('true', 'tenant_id = ' ~ unattributed()),
    'staging_in_production': (
        'is_in_scope', "is_of_a_test or coalesce(key_environment, '') in ('staging', 'dev')"
    ),
    'readable_user_id': ('user_id != ' ~ unattributed(), "user_id like '%_@_%._%'"),
    'unmarked_service_account': (
        "user_type = 'human' and user_id != " ~ unattributed(), 'is_of_a_service'
    ),
    'sampled': ('true', 'sample_rate < 1'),
    'missing_tokens': (
        "cost_status != 'not_billed'",
        "cost_status = 'usage_missing' or (other_usage is null and "
        "coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(web_search_requests, 0) = 0)"
    ),
    'clock_skew': ('true', 'started_at > _loaded_at'),
    'reported_cost_far_off': (
        "cost_source = 'calculated' and cost_usd is not null and reported_cost_usd is not null",
        is_far_off('reported_cost_usd', 'cost_usd')
    ),
} %}

with attempts as (

    select * from {{ ref('fct_llm_attempts') }}
    where {{ is_read }}

),

first_attempts as (

    select * from {{ ref('fct_llm_attempts') }}
    where {{ first_is_read }}

),

failures as (

    {% for days in [0, 1] -%}
    select
        *,
        {{ add_days('usage_date_utc', days) }} as reached_date_utc
    from {{ ref('fct_llm_attempts') }}
    where {{ failure_is_read }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Names are few and calls are many: each name is read once.
names as (

    {% for column in ['tenant_id', 'user_id', 'api_key_id'] -%}
    select {{ column }} as caller_name
    from {{ ref('fct_llm_attempts') }}
    where {{ is_read }}
    group by {{ column }}
    {{ 'union distinct' if not loop.last }}
    {% endfor %}
),

test_names as (

    select caller_name from names
    where {{ names_hold_word(['caller_name'], test_words()) }}

),

service_names as (

    select caller_name from names
    where {{ names_hold_word(['caller_name'], service_words) }}

),

keys as (

    select
        api_key_id,
        environment as key_environment
    from {{ ref('stg_config__key_registry') }}

),

known_callers as (

    select
        attempts.*,
        keys.key_environment,
        coalesce(test_tenants.caller_name, test_users.caller_name, test_keys.caller_name) is not null as is_of_a_test,
        services.caller_name is not null as is_of_a_service
    from attempts
    left join keys
        on attempts.api_key_id = keys.api_key_id
    left join test_names as test_tenants
        on attempts.tenant_id = test_tenants.caller_name
    left join test_names as test_users
        on attempts.user_id = test_users.caller_name
    left join test_names as test_keys
        on attempts.api_key_id = test_keys.caller_name
    left join service_names as services
        on attempts.user_id = services.caller_name

),

-- 1 fails the check, 0 passes it, null is not to be judged by it.
judged as (

    select
        source,
        usage_date,
        event_id,
        cost_usd,
        {%- for check, (is_judged, fails) in checks.items() %}
        case
            when not ({{ is_judged }}) then null
            when {{ fails }} then 1
            else 0
        end as {{ check }},
        {%- endfor %}
        is_in_scope and is_first_attempt as is_request
    from known_callers

),

days as (

    select
        source,
        usage_date,
        {%- for check in checks %}
        cast(count({{ check }}) as {{ dbt.type_bigint() }}) as {{ check }}_checked,
        {{ sum_count('coalesce(' ~ check ~ ', 0)') }} as {{ check }}_failed,
        {{ sum_count('case when ' ~ check ~ ' = 1 and cost_usd is null then 1 else 0 end') }} as {{ check }}_unknown,
        {{ sum_money('case when ' ~ check ~ ' = 1 then coalesce(cost_usd, 0) else 0 end') }} as {{ check }}_usd,
        min(case when {{ check }} = 1 then event_id end) as {{ check }}_example,
        {%- endfor %}
        {{ sum_count('case when is_request then 1 else 0 end') }} as requests
    from judged
    group by source, usage_date

),

suspects as (

    select distinct
        first_attempts.source as source,
        first_attempts.event_id as event_id,
        first_attempts.usage_date as usage_date,
        first_attempts.cost_usd as cost_usd
    from first_attempts
    inner join failures
        on {{ follows_a_failure('first_attempts', 'failures') }}

),

hidden_retries as (

    select
        source,
        usage_date,
        cast(count(*) as {{ dbt.type_bigint() }}) as failed_calls,
        {{ sum_count('case when cost_usd is null then 1 else 0 end') }} as failed_without_cost,
        {{ sum_money('coalesce(cost_usd, 0)') }} as failed_cost_usd,
        min(event_id) as example_event_id
    from suspects
    group by source, usage_date

),

final as (

    select
        days.source as source,
        days.usage_date as usage_date,
        'new_id_per_retry' as check_name,
        days.requests as checked_calls,
        coalesce(hidden_retries.failed_calls, 0) as failed_calls,
        coalesce(hidden_retries.failed_without_cost, 0) as failed_without_cost,
        {{ money('coalesce(hidden_retries.failed_cost_usd, 0)') }} as cost_usd,
        hidden_retries.example_event_id as example_event_id
    from days
    left join hidden_retries
        on days.source = hidden_retries.source
        and days.usage_date = hidden_retries.usage_date
    {%- for check in checks %}

    union all

    select
        source,
        usage_date,
        '{{ check }}' as check_name,
        {{ check }}_checked as checked_calls,
        {{ check }}_failed as failed_calls,
        {{ check }}_unknown as failed_without_cost,
        {{ check }}_usd as cost_usd,
        {{ check }}_example as example_event_id
    from days
    {%- endfor %}

)

select * from final
