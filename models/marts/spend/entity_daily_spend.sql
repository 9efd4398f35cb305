-- The Top lists: every way to cut the same dollars. Each entity type adds up to the whole, so the unattributed rest is
-- a row. Users carry their type, because a service account must not hide among the top people.

{% set groupings = dict({'total': "'total'"}, **entity_columns()) %}

{{ replaces_days(day='usage_date', days='int_touched_dates') }}

-- depends_on: {{ ref('int_touched_dates') }}

{% set is_read = 'is_in_scope' %}
{% set attempt_is_read = 'is_in_scope' %}
{% if is_incremental() %}
    {% set is_read = is_read ~ ' and usage_date in (select read_dates.usage_date from read_dates) and '
        ~ between_days_of('usage_date', 'int_touched_dates', 'usage_date', shifts=[-7, 0]) %}
    {# attempts are kept by UTC day #}
    {% set attempt_is_read = is_read ~ ' and '
        ~ between_days_of('usage_date_utc', 'int_touched_dates', 'usage_date', shifts=[-8, -7, -6, -1, 0, 1]) %}
{% endif %}

with {% if is_incremental() -%}
read_dates as (

    select usage_date from {{ ref('int_touched_dates') }}
    union distinct
    select {{ add_days('usage_date', -7) }} as usage_date from {{ ref('int_touched_dates') }}

),

{% endif -%}
rolled_up as (

    select * from {{ ref('fct_daily_spend') }}
    where {{ is_read }}

),

attempts as (

    select * from {{ ref('fct_llm_attempts') }}
    where {{ attempt_is_read }}

),

entities as (

    {% for entity_type, column in groupings.items() -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        cast(null as {{ dbt.type_string() }}) as user_type,
        usage_date,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_count('requests') }} as requests,
        {{ sum_count('retries') }} as retries,
        {{ sum_count('input_tokens') }} as input_tokens,
        {{ sum_count('output_tokens') }} as output_tokens,
        {{ sum_count('attempts_without_cost') }} as attempts_without_cost,
        {{ sum_money('list_cost_usd') }} as list_cost_usd,
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ sum_money('wasted_cost_usd') }} as wasted_cost_usd
    from rolled_up
    group by {{ column ~ ', ' if entity_type != 'total' }}usage_date

    union all

    {% endfor -%}
    select
        'user' as entity_type,
        user_id as entity_id,
        user_type,
        usage_date,
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
    group by user_id, user_type, usage_date

),

final as (

    select
        today.entity_type,
        today.entity_id,
        today.user_type,
        today.usage_date,
        today.attempts,
        today.requests,
        today.retries,
        today.input_tokens,
        today.output_tokens,
        today.attempts_without_cost,
        today.list_cost_usd,
        today.cost_usd,
        today.wasted_cost_usd,
        {{ ratio('today.cost_usd', 'sum(today.cost_usd) over (partition by today.entity_type, today.usage_date)') }}
            as share_of_total_ratio,
        week_before.cost_usd as cost_usd_7_days_before,
        {{ ratio('today.cost_usd - week_before.cost_usd', 'week_before.cost_usd') }} as week_over_week_change_ratio,
        cast(rank() over (
            partition by today.entity_type, today.user_type, today.usage_date
            order by today.cost_usd desc
        ) as {{ dbt.type_bigint() }}) as spend_rank
    from entities as today
    left join entities as week_before
        on today.entity_type = week_before.entity_type
        and today.entity_id = week_before.entity_id
        and coalesce(today.user_type, '') = coalesce(week_before.user_type, '')
        and week_before.usage_date = {{ add_days('today.usage_date', -7) }}
    {%- if is_incremental() %}
    where today.usage_date in (select usage_date from {{ ref('int_touched_dates') }})
    {%- endif %}

)

select * from final
