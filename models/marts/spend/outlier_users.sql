-- Whose requests look like nobody else's: users of the last four weeks of whole days, held against the median user of
-- their type, because a service account is no measure for people.

{% set min_users = 5 %}
{% set min_times = 5 %}
{% set min_cost = 1 %}
{% set patterns = {
    'many_requests': ['requests', 1],
    'dear_requests': ['cost_usd', 'requests'],
    'long_inputs': ['input_tokens', 'requests'],
    'long_outputs': ['output_tokens', 'requests'],
    'many_attempts': ['attempts', 'requests'],
} %}

with users as (

    select
        entity_id as user_id,
        user_type,
        {{ sum_count('requests') }} as requests,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_count('input_tokens') }} as input_tokens,
        {{ sum_count('output_tokens') }} as output_tokens,
        {{ sum_money('cost_usd') }} as cost_usd
    from {{ ref('entity_daily_spend') }}
    where
        entity_type = 'user'
        and entity_id != {{ unattributed() }}
        and {{ in_last_days('usage_date', 28) }}
    group by entity_id, user_type

),

measured as (

    {% for pattern, (numerator, denominator) in patterns.items() -%}
    select
        user_id,
        user_type,
        '{{ pattern }}' as pattern,
        {{ ratio(numerator, denominator) }} as user_value,
        requests,
        cost_usd
    from users
    where requests > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

ranked as (

    select
        *,
        row_number() over (partition by user_type, pattern order by user_value, user_id) as value_rank,
        count(*) over (partition by user_type, pattern) as compared_users
    from measured

),

medians as (

    select
        user_type,
        pattern,
        user_value as median_value,
        compared_users
    from ranked
    where {{ is_discrete_median('value_rank', 'compared_users') }}

),

final as (

    select
        measured.user_id,
        measured.user_type as user_type,
        measured.pattern as pattern,
        measured.user_value,
        medians.median_value,
        {{ ratio('measured.user_value', 'medians.median_value') }} as times_median,
        cast(medians.compared_users as {{ dbt.type_bigint() }}) as compared_users,
        measured.requests,
        measured.cost_usd
    from measured
    inner join medians
        on measured.user_type = medians.user_type
        and measured.pattern = medians.pattern
    where
        medians.compared_users >= {{ min_users }}
        and measured.cost_usd >= {{ min_cost }}
        and measured.user_value >= {{ min_times }} * medians.median_value

)

select * from final
