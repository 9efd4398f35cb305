-- Can the log be trusted? Each pitfall that breaks attribution is a check with a score for each source and day, so that
-- nobody believes a dashboard on the wrong days. What a check asks and why: docs/health.md.

{% set what_to_do = {
    'new_id_per_retry': 'Keep external_request_id over the retries of a request: make it before the first attempt, not in each.',
    'reused_request_id': 'Give each step of a workflow its call_name, or each new question its own external_request_id.',
    'without_request_id': 'Send external_request_id; without one every attempt counts as a request of its own.',
    'without_endpoint': 'Send endpoint_tag with each call.',
    'without_tenant': 'Send tenant_id with each call.',
    'without_prompt_version': 'Send prompt_version, a constant beside each prompt that every deploy raises.',
    'tag_outside_taxonomy': 'Add the tag to endpoint_taxonomy.csv, or its right name to endpoint_aliases.csv.',
    'renamed_tag': 'Add the former tag to endpoint_aliases.csv, so that its history goes on under the new one.',
    'staging_in_production': 'Send data_mode test, or the environment the calls ran in; a key of staging must not say prod.',
    'silent_model_change': 'Raise prompt_version when the routing changes; see silent_model_changes for the models.',
    'sampled': 'Log every call (sample_rate 1): sums hold only what was logged, see spend_coverage_by_outcome.',
    'missing_tokens': 'Ask for the usage block of streams, and log it also when the client hangs up.',
    'clock_skew': 'Set the clocks of the clients by NTP, and send UTC or an offset.',
    'reported_cost_far_off': 'Compare the calls in reported_cost_gaps: an old price in the client, or one missing in price_overrides.csv.',
    'readable_user_id': 'Send a stable hash or an internal id, never an address of a person.',
    'unmarked_service_account': 'Send user_type service, or say so in identity_aliases.csv.',
} %}
{% set calls_checks = [
    'without_endpoint', 'without_prompt_version', 'tag_outside_taxonomy', 'renamed_tag', 'silent_model_change',
] %}

with calls as (

    select * from {{ ref('fct_daily_calls') }}

),

-- In scope, with a tag and a version, on days that are over.
tagged as (

    select distinct
        endpoint_tag,
        prompt_version,
        usage_date
    from calls
    where
        is_in_scope
        and endpoint_tag != {{ unattributed() }}
        and prompt_version != {{ unattributed() }}
        and usage_date < {{ as_of_date() }}

),

lifetimes as (

    select
        endpoint_tag,
        min(usage_date) as first_date,
        max(usage_date) as last_date
    from calls
    where is_in_scope
    group by endpoint_tag

),

-- What a tag brings in its first week.
first_versions as (

    select distinct
        lifetimes.endpoint_tag as endpoint_tag,
        lifetimes.first_date as first_date,
        tagged.prompt_version as prompt_version
    from lifetimes
    inner join tagged
        on lifetimes.endpoint_tag = tagged.endpoint_tag
        and tagged.usage_date < {{ add_days('lifetimes.first_date', 7) }}

),

-- A tag that takes over a prompt version of another just when that one falls silent is that one under a new name. The
-- other was in use on most days of the week before, ended within the week of a rollout, and is silent for three days.
takeovers as (

    select
        first_versions.endpoint_tag as endpoint_tag,
        first_versions.first_date as first_date,
        tagged.endpoint_tag as former_tag
    from first_versions
    inner join tagged
        on first_versions.prompt_version = tagged.prompt_version
        and first_versions.endpoint_tag != tagged.endpoint_tag
        and first_versions.first_date > tagged.usage_date
        and {{ add_days('first_versions.first_date', -7) }} <= tagged.usage_date
    inner join lifetimes
        on tagged.endpoint_tag = lifetimes.endpoint_tag
    where
        lifetimes.last_date >= {{ add_days('first_versions.first_date', -1) }}
        and lifetimes.last_date < {{ add_days('first_versions.first_date', 7) }}
        and {{ add_days('lifetimes.last_date', 4) }} <= {{ as_of_date() }}
    group by first_versions.endpoint_tag, first_versions.first_date, tagged.endpoint_tag
    having count(distinct tagged.usage_date) >= 4

),

renamed as (

    select distinct
        endpoint_tag,
        first_date
    from takeovers

),

taxonomy as (

    select endpoint_tag from {{ ref('stg_config__endpoint_taxonomy') }}

),

declared as (

    select count(*) as tags from taxonomy

),

known as (

    select
        {{ columns_of('calls', [
            'source', 'usage_date', 'is_in_scope', 'endpoint_tag', 'prompt_version', 'model', 'attempts',
            'attempts_without_cost', 'input_tokens', 'output_tokens', 'cost_usd', 'example_event_id',
        ]) }},
        declared.tags > 0 as is_taxonomy_declared,
        taxonomy.endpoint_tag is not null as is_in_taxonomy,
        renamed.endpoint_tag is not null as is_renamed,
        changes.main_model_after as switched_to
    from calls
    cross join declared
    left join taxonomy
        on calls.endpoint_tag = taxonomy.endpoint_tag
    left join renamed
        on calls.endpoint_tag = renamed.endpoint_tag
        and calls.usage_date >= renamed.first_date
        and calls.usage_date < {{ add_days('renamed.first_date', 7) }}
    left join {{ ref('silent_model_changes') }} as changes
        on calls.endpoint_tag = changes.endpoint_tag
        and calls.prompt_version = changes.prompt_version
        and changes.main_model_before != changes.main_model_after
        and calls.usage_date >= changes.changed_on
        and calls.usage_date < {{ add_days('changes.changed_on', 7) }}

),

-- 1 fails the check, 0 passes it, null is not to be judged by it.
judged as (

    select
        *,
        case when endpoint_tag = {{ unattributed() }} then 1 else 0 end as without_endpoint,
        case when prompt_version = {{ unattributed() }} then 1 else 0 end as without_prompt_version,
        case
            when is_taxonomy_declared and endpoint_tag != {{ unattributed() }}
                then case when is_in_taxonomy then 0 else 1 end
        end as tag_outside_taxonomy,
        case
            when
                is_in_scope
                and endpoint_tag != {{ unattributed() }}
                and prompt_version != {{ unattributed() }}
                and usage_date < {{ as_of_date() }}
                then case when is_renamed then 1 else 0 end
        end as renamed_tag,
        case
            when is_in_scope and prompt_version != {{ unattributed() }} and input_tokens + output_tokens > 0
                then case when model = switched_to then 1 else 0 end
        end as silent_model_change
    from known

),

checked as (

    select
        source,
        usage_date,
        check_name,
        checked_calls,
        failed_calls,
        failed_without_cost,
        cost_usd,
        example_event_id
    from {{ ref('fct_daily_checks') }}
    {%- for check in calls_checks %}

    union all

    select
        source,
        usage_date,
        '{{ check }}' as check_name,
        {{ sum_count('case when ' ~ check ~ ' is not null then attempts else 0 end') }} as checked_calls,
        {{ sum_count('case when ' ~ check ~ ' = 1 then attempts else 0 end') }} as failed_calls,
        {{ sum_count('case when ' ~ check ~ ' = 1 then attempts_without_cost else 0 end') }} as failed_without_cost,
        {{ sum_money('case when ' ~ check ~ ' = 1 then cost_usd else 0 end') }} as failed_cost_usd,
        min(case when {{ check }} = 1 then example_event_id end) as failed_event_id
    from judged
    group by source, usage_date
    {%- endfor %}

),

final as (

    select
        source,
        usage_date,
        check_name,
        checked_calls,
        failed_calls,
        failed_without_cost,
        {{ ratio('checked_calls - failed_calls', 'checked_calls') }} as score_ratio,
        cost_usd,
        example_event_id,
        case check_name
            {%- for check, text in what_to_do.items() %}
            when '{{ check }}' then '{{ text }}'
            {%- endfor %}
        end as what_to_do
    from checked

)

select * from final
