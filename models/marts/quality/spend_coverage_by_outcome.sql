-- How far the bill can be believed: which part of the log has a price, which has none, and which was refused; in rows,
-- tokens and dollars. A sampled source says how many calls its rows stand for: dollars are those of the rows.

with accepted as (

    select
        source,
        cost_status as outcome,
        {{ sum_count('attempts') }} as row_count,
        {{ sum_money('estimated_calls') }} as estimated_calls,
        {{ sum_count('input_tokens') }} as input_tokens,
        {{ sum_count('output_tokens') }} as output_tokens,
        case when sum(attempts_without_cost) < sum(attempts) then {{ sum_money('cost_usd') }} end as cost_usd
    from {{ ref('fct_daily_calls') }}
    group by source, cost_status

),

-- A duplicate adds nothing to the row it repeats, nor does another log's record of the same call or a row that is no
-- call; what is in a refused row nobody knows.
others as (

    {% for outcome in ['duplicate', 'merged', 'left_out', 'quarantined', 'rejected'] -%}
    {% set unknown = 'null' if outcome in ['quarantined', 'rejected'] else '0' -%}
    select
        source,
        '{{ outcome }}' as outcome,
        {{ outcome }}_rows as row_count,
        cast(null as {{ type_money() }}) as estimated_calls,
        cast({{ unknown }} as {{ dbt.type_bigint() }}) as input_tokens,
        cast({{ unknown }} as {{ dbt.type_bigint() }}) as output_tokens,
        {{ money(unknown) }} as cost_usd
    from {{ ref('spend_coverage') }}
    where {{ outcome }}_rows > 0
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

outcomes as (

    select * from accepted
    union all
    select * from others

),

final as (

    select
        source,
        outcome,
        row_count,
        {{ ratio('row_count', 'sum(row_count) over (partition by source)') }} as share_ratio,
        input_tokens,
        output_tokens,
        cost_usd,
        estimated_calls,
        {{ ratio('row_count', 'estimated_calls') }} as logged_ratio
    from outcomes

)

select * from final
