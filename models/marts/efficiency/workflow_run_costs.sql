-- Is the dearest run of a workflow bounded? Percentiles are runs that happened: the ceil(n x p)-th in order of cost.

{% set percentiles = {'p50': 50, 'p95': 95, 'p99': 99} %}

with runs as (

    select
        runs.*,
        dates.week_start_date
    from {{ ref('fct_workflow_runs') }} as runs
    inner join {{ ref('dim_dates') }} as dates
        on runs.usage_date = dates.date_day
    where runs.is_in_scope

),

ranked as (

    select
        *,
        row_number() over (partition by workflow_id, week_start_date order by cost_usd, run_id, source) as cost_rank,
        count(*) over (partition by workflow_id, week_start_date) as runs
    from runs

),

final as (

    select
        workflow_id,
        week_start_date,
        cast(count(*) as {{ dbt.type_bigint() }}) as runs,
        {{ sum_count('attempts') }} as attempts,
        {{ sum_count('attempts_without_cost') }} as attempts_without_cost,
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ derived_usd(ratio('sum(cost_usd)', 'count(*)')) }} as average_run_cost_usd,
        {% for name, percent in percentiles.items() -%}
        {{ money(
            'min(case when cost_rank * 100 >= runs * ' ~ percent ~ ' then cost_usd end)'
        ) }} as {{ name }}_run_cost_usd,
        {% endfor -%}
        max(cost_usd) as max_run_cost_usd,
        max(case when cost_rank = runs then run_id end) as dearest_run_id
    from ranked
    group by workflow_id, week_start_date

)

select * from final
