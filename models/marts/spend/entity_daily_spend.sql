-- The Top lists: every way to cut the same dollars. Each entity type adds up to the whole, so the unattributed rest is
-- a row. Users carry their type, because a service account must not hide among the top people.

{% set groupings = dict({'total': "'total'"}, **entity_columns()) %}
{% set counts = ['attempts', 'requests', 'retries', 'input_tokens', 'output_tokens', 'attempts_without_cost'] %}
{% set amounts = ['list_cost_usd', 'cost_usd', 'wasted_cost_usd'] %}
{% set sums = [] %}
{% for count in counts %}{% do sums.append(sum_count(count) ~ ' as ' ~ count) %}{% endfor %}
{% for amount in amounts %}{% do sums.append(sum_money(amount) ~ ' as ' ~ amount) %}{% endfor %}
{% set is_read, attempt_is_read = 'is_in_scope', 'is_in_scope' %}
{% if is_incremental() %}
    {% set is_read = is_read ~ ' and '
        ~ between_days_of('usage_date', 'int_trailing_dates', 'usage_date', shifts=range(-31, 1)) %}
    {# attempts are kept by UTC day #}
    {% set attempt_is_read = is_read ~ ' and '
        ~ between_days_of('usage_date_utc', 'int_trailing_dates', 'usage_date', shifts=range(-32, 2)) %}
{% endif %}
{% set first_day = "cast('2020-01-01' as date)" %}
{% set entity = 'entity_type, entity_id, user_type' %}
{% set trailing_days = {
    'cost_usd_1_day_before': '1 preceding and 1 preceding',
    'cost_usd_7_days_before': '7 preceding and 7 preceding',
    'cost_usd_last_7_days': '6 preceding and current row',
    'cost_usd_last_28_days': '27 preceding and current row',
} %}

{{ replaces_days(day='usage_date', days='int_trailing_dates') }}

-- depends_on: {{ ref('int_trailing_dates') }}

with rolled_up as (

    select * from {{ ref('fct_daily_spend') }}
    where {{ is_read }}

),

attempts as (

    select * from {{ ref('fct_llm_attempts') }}
    where {{ attempt_is_read }}

),

by_model as (

    {% for entity_type, column in groupings.items() -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        cast(null as {{ dbt.type_string() }}) as user_type,
        usage_date,
        model as used_model,
        {{ sums | join(',\n        ') }}
    from rolled_up
    group by {{ column ~ ', ' if entity_type != 'total' }}usage_date{{ ', model' if entity_type != 'model' }}

    union all

    {% endfor -%}
    select
        'user' as entity_type,
        user_id as entity_id,
        user_type,
        usage_date,
        model as used_model,
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_count('case when is_first_attempt then 1 else 0 end') }} as requests,
        {{ sum_count('case when is_retry then 1 else 0 end') }} as retries,
        {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
        {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
        {{ sum_count('case when cost_usd is null then 1 else 0 end') }} as attempts_without_cost,
        {{ sum_money('coalesce(list_cost_usd, 0)') }} as list_cost_usd,
        {{ sum_money('coalesce(cost_usd, 0)') }} as cost_usd,
        {{ sum_money('coalesce(wasted_cost_usd, 0)') }} as wasted_cost_usd
    from attempts
    group by user_id, user_type, usage_date, model

),

ranked as (

    select
        *,
        row_number() over (
            partition by {{ entity }}, usage_date order by cost_usd desc, used_model asc
        ) as model_rank
    from by_model

),

entities as (

    select
        {{ entity }},
        usage_date,
        {{ sums | join(',\n        ') }},
        max(case when model_rank = 1 then used_model end) as most_expensive_model,
        {{ days_between(first_day, 'usage_date') }}
            as day_number,
        cast({{ dbt.date_trunc('month', 'usage_date') }} as date) as usage_month
    from ranked
    group by {{ entity }}, usage_date

),

summed as (

    select
        *,
        {% for name, days in trailing_days.items() -%}
        cast(sum(cost_usd) over (
            partition by {{ entity }} order by day_number range between {{ days }}
        ) as {{ type_money() }}) as {{ name }},
        {% endfor -%}
        cast(sum(cost_usd) over (
            partition by {{ entity }}, usage_month order by day_number
            range between unbounded preceding and current row
        ) as {{ type_money() }}) as month_to_date_cost_usd
    from entities

),

-- Every entity type adds up to the same day.
days as (

    select
        usage_date,
        {{ sum_money('cost_usd') }} as all_cost_usd
    from rolled_up
    group by usage_date

),

shared as (

    select
        summed.*,
        days.all_cost_usd
    from summed
    left join days
        on summed.usage_date = days.usage_date

),

final as (

    select
        {{ entity }},
        usage_date,
        {{ counts | join(',\n        ') }},
        {{ amounts | join(',\n        ') }},
        {{ derived_usd(ratio('cost_usd', 'requests')) }} as cost_per_request_usd,
        {{ ratio('input_tokens', 'requests') }} as input_tokens_per_request,
        {{ ratio('output_tokens', 'requests') }} as output_tokens_per_request,
        most_expensive_model,
        {{ ratio('cost_usd', 'all_cost_usd') }} as share_of_total_ratio,
        cast(rank() over (
            partition by entity_type, user_type, usage_date
            order by cost_usd desc
        ) as {{ dbt.type_bigint() }}) as spend_rank,
        cost_usd_1_day_before,
        {{ ratio('cost_usd - cost_usd_1_day_before', 'cost_usd_1_day_before') }} as day_over_day_change_ratio,
        cost_usd_7_days_before,
        {{ ratio('cost_usd - cost_usd_7_days_before', 'cost_usd_7_days_before') }} as week_over_week_change_ratio,
        cost_usd_last_7_days,
        cost_usd_last_28_days,
        month_to_date_cost_usd
    from shared

)

select * from final
{%- if is_incremental() %}
where {{ on_days_of('usage_date', 'int_trailing_dates', 'usage_date') }}
{%- endif %}
