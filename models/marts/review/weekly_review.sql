-- The meeting as rows: what engineering leads and finance walk through once a week. Every amount is a mart's, next to
-- what it is compared with; a row on which somebody has to decide says what.

{% set first = 5 %}
-- A day of less is no runaway loop.
{% set min_dollars = 1 %}
-- The reviewers' own rule: above three times the median day of the week before.
{% set outlier_times = 3 %}
{% set min_median_days = 3 %}
-- Ten percent is more than the same work varies from week to week.
{% set dearer_ratio = 1.1 %}
{% set nobody = 'cast(null as ' ~ dbt.type_string() ~ ')' %}
{% set no_amount = 'cast(null as ' ~ type_money() ~ ')' %}

with dates as (

    select * from {{ ref('dim_dates') }}

),

weeks as (

    select distinct dates.week_start_date as week_start_date
    from dates
    inner join {{ ref('entity_daily_spend') }} as spend
        on dates.date_day = spend.usage_date
    where spend.entity_type = 'total'

),

daily_spend as (

    select
        spend.entity_type as entity_type,
        spend.entity_id as entity_id,
        spend.usage_date as usage_date,
        dates.week_start_date as week_start_date,
        dates.next_week_start_date as next_week_start_date,
        {{ money('spend.cost_usd') }} as cost_usd,
        {{ money('spend.wasted_cost_usd') }} as wasted_cost_usd
    from {{ ref('entity_daily_spend') }} as spend
    inner join dates
        on spend.usage_date = dates.date_day
    where spend.entity_type in ('total', 'tenant', 'workflow', 'endpoint')

),

weekly_spend as (

    select
        entity_type,
        entity_id,
        week_start_date,
        next_week_start_date,
        {{ sum_money('cost_usd') }} as cost_usd,
        {{ sum_money('wasted_cost_usd') }} as wasted_cost_usd,
        max(cost_usd) as dearest_day_usd
    from daily_spend
    group by entity_type, entity_id, week_start_date, next_week_start_date

),

ranked_days as (

    select
        *,
        row_number() over (
            partition by entity_type, entity_id, week_start_date order by cost_usd, usage_date
        ) as day_rank,
        count(*) over (partition by entity_type, entity_id, week_start_date) as logged_days
    from daily_spend
    where cost_usd > 0

),

median_days as (

    select
        entity_type,
        entity_id,
        next_week_start_date,
        cost_usd as median_day_usd
    from ranked_days
    where
        {{ is_discrete_median('day_rank', 'logged_days') }}
        and logged_days >= {{ min_median_days }}

),

compared as (

    select
        this_week.entity_type as entity_type,
        this_week.entity_id as entity_id,
        this_week.week_start_date as week_start_date,
        this_week.cost_usd as cost_usd,
        this_week.wasted_cost_usd as wasted_cost_usd,
        this_week.dearest_day_usd as dearest_day_usd,
        week_before.cost_usd as cost_usd_week_before,
        week_before.wasted_cost_usd as wasted_cost_usd_week_before,
        median_days.median_day_usd as median_day_usd,
        row_number() over (
            partition by this_week.entity_type, this_week.week_start_date
            order by this_week.cost_usd desc, this_week.entity_id asc
        ) as cost_rank,
        row_number() over (
            partition by this_week.entity_type, this_week.week_start_date
            order by this_week.wasted_cost_usd desc, this_week.entity_id asc
        ) as waste_rank
    from weekly_spend as this_week
    left join weekly_spend as week_before
        on this_week.entity_type = week_before.entity_type
        and this_week.entity_id = week_before.entity_id
        and this_week.week_start_date = week_before.next_week_start_date
    left join median_days
        on this_week.entity_type = median_days.entity_type
        and this_week.entity_id = median_days.entity_id
        and this_week.week_start_date = median_days.next_week_start_date

),

spend_sections as (

    select
        week_start_date,
        'spend' as section,
        cost_rank as position_in_section,
        entity_type,
        entity_id,
        'spend' as measure,
        cost_usd as amount_usd,
        'week before' as compared_with,
        cost_usd_week_before as compared_usd,
        {{ nobody }} as owner,
        {{ nobody }} as decision
    from compared
    where entity_type = 'total'
    union all
    select
        week_start_date,
        case entity_type when 'tenant' then 'top_tenants' else 'top_workflows' end as section,
        cost_rank as position_in_section,
        entity_type,
        entity_id,
        'spend' as measure,
        cost_usd as amount_usd,
        'week before' as compared_with,
        cost_usd_week_before as compared_usd,
        {{ nobody }} as owner,
        {{ nobody }} as decision
    from compared
    where
        entity_type in ('tenant', 'workflow')
        and cost_rank <= {{ first }}
    union all
    select
        week_start_date,
        'outliers' as section,
        row_number() over (partition by week_start_date order by dearest_day_usd desc, entity_type asc, entity_id asc)
            as position_in_section,
        entity_type,
        entity_id,
        'dearest day' as measure,
        dearest_day_usd as amount_usd,
        'median day of the week before' as compared_with,
        median_day_usd as compared_usd,
        {{ nobody }} as owner,
        'Find the cause: a regression, or a loop that did not end' as decision
    from compared
    where
        entity_type in ('tenant', 'workflow')
        and dearest_day_usd > {{ outlier_times }} * median_day_usd
        and dearest_day_usd >= {{ min_dollars }}
    union all
    select
        week_start_date,
        'waste' as section,
        case entity_type when 'total' then 0 else waste_rank end as position_in_section,
        entity_type,
        entity_id,
        'wasted on attempts that answered nothing' as measure,
        wasted_cost_usd as amount_usd,
        'week before' as compared_with,
        wasted_cost_usd_week_before as compared_usd,
        {{ nobody }} as owner,
        case
            when wasted_cost_usd >= {{ min_dollars }} and wasted_cost_usd > 2 * wasted_cost_usd_week_before
                then 'Stop the retries: see their causes in retry_multipliers'
        end as decision
    from compared
    where
        entity_type in ('total', 'endpoint')
        and waste_rank <= {{ first }}
        and wasted_cost_usd > 0

),

successes as (

    select
        *,
        row_number() over (
            partition by entity_type, week_start_date order by cost_usd desc, entity_id asc
        ) as cost_rank
    from {{ ref('cost_per_successful_task') }}
    where entity_type in ('total', 'workflow')

),

success_section as (

    select
        week_start_date,
        'cost_per_success' as section,
        case entity_type when 'total' then 0 else cost_rank end as position_in_section,
        entity_type,
        entity_id,
        'cost of a successful task' as measure,
        cost_per_success_usd as amount_usd,
        'week before' as compared_with,
        cost_per_success_week_before_usd as compared_usd,
        {{ nobody }} as owner,
        case
            when
                cost_usd >= {{ min_dollars }}
                and cost_per_success_usd > {{ dearer_ratio }} * cost_per_success_week_before_usd
                then 'Say why a success became dearer: model, prompt length or failures'
        end as decision
    from successes
    where cost_rank <= {{ first }}

),

runs as (

    select
        this_week.workflow_id as workflow_id,
        this_week.week_start_date as week_start_date,
        this_week.p99_run_cost_usd as p99_run_cost_usd,
        this_week.dearest_run_id as dearest_run_id,
        week_before.p99_run_cost_usd as p99_run_cost_week_before_usd,
        row_number() over (
            partition by this_week.week_start_date order by this_week.p99_run_cost_usd desc, this_week.workflow_id asc
        ) as cost_rank
    from {{ ref('workflow_run_costs') }} as this_week
    left join {{ ref('workflow_run_costs') }} as week_before
        on this_week.workflow_id = week_before.workflow_id
        and this_week.week_start_date = {{ add_days('week_before.week_start_date', 7) }}

),

run_section as (

    select
        week_start_date,
        'run_costs' as section,
        cost_rank as position_in_section,
        'workflow' as entity_type,
        workflow_id as entity_id,
        'run at the 99th percentile' as measure,
        p99_run_cost_usd as amount_usd,
        'week before' as compared_with,
        p99_run_cost_week_before_usd as compared_usd,
        {{ nobody }} as owner,
        case
            when p99_run_cost_usd >= {{ min_dollars }} and p99_run_cost_usd > 2 * p99_run_cost_week_before_usd
                then {{ dbt.concat(["'Bound the run: look at '", 'dearest_run_id']) }}
        end as decision
    from runs
    where cost_rank <= {{ first }}

),

version_section as (

    select
        dates.week_start_date as week_start_date,
        'prompt_versions' as section,
        row_number() over (
            partition by dates.week_start_date
            order by deltas.endpoint_tag, deltas.prompt_version, deltas.episode
        ) as position_in_section,
        'prompt_version' as entity_type,
        {{ dbt.concat(['deltas.endpoint_tag', "' '", 'deltas.prompt_version']) }} as entity_id,
        'cost of a request' as measure,
        deltas.cost_per_request_after_usd as amount_usd,
        deltas.predecessor as compared_with,
        deltas.cost_per_request_before_usd as compared_usd,
        deltas.owner as owner,
        case deltas.verdict
            when 'regression' then 'Roll back, or accept what the version costs'
        end as decision
    from {{ ref('prompt_version_deltas') }} as deltas
    inner join dates
        on deltas.first_seen_date = dates.date_day

),

margin_section as (

    select
        weeks.week_start_date as week_start_date,
        'margin' as section,
        row_number() over (
            partition by weeks.week_start_date order by margins.margin_usd, margins.tenant_id
        ) as position_in_section,
        'tenant' as entity_type,
        margins.tenant_id as entity_id,
        case when margins.is_complete then 'cost of the month' else 'cost of the month so far' end as measure,
        margins.total_cost_usd as amount_usd,
        'revenue of the month' as compared_with,
        margins.revenue_usd as compared_usd,
        {{ nobody }} as owner,
        'Change the price or the usage, or say why this tenant may cost more than it pays' as decision
    from weeks
    inner join dates
        on weeks.week_start_date = dates.date_day
    inner join {{ ref('tenant_margin') }} as margins
        on dates.month_start_date = margins.usage_month
    where margins.margin_usd < 0

),

-- Of a period that the week is part of; the hourly ones are for alerts.
budget_section as (

    select
        weeks.week_start_date as week_start_date,
        'budgets' as section,
        row_number() over (
            partition by weeks.week_start_date
            order by
                coalesce(budgets.spent_share_ratio, 0) desc, budgets.scope_type asc, budgets.scope_id asc,
                budgets.period asc, budgets.period_start_date asc, budgets.traffic asc, budgets.budget_kind asc
        ) as position_in_section,
        budgets.scope_type as entity_type,
        budgets.scope_id as entity_id,
        {{ dbt.concat([
            "case when budgets.status = 'forecast_exceeded' then 'projected ' else '' end",
            'budgets.period',
            "case when budgets.traffic = 'all' then ' spend of all traffic' else ' spend' end",
        ]) }} as measure,
        case budgets.status when 'forecast_exceeded' then budgets.projected_usd else budgets.spent_usd end
            as amount_usd,
        'budget' as compared_with,
        budgets.amount_usd as compared_usd,
        budgets.owner as owner,
        case budgets.status
            when 'warning' then {{ nobody }}
            else 'Change the budget or the usage'
        end as decision
    from weeks
    cross join {{ ref('budget_status') }} as budgets
    where
        budgets.period_start_date < {{ add_days('weeks.week_start_date', 7) }}
        and budgets.period_end_date > weeks.week_start_date
        and budgets.status != 'ok'
        and budgets.period != 'hourly'

),

rows_of_sections as (

    {% for section in ['spend_sections', 'success_section', 'run_section', 'version_section', 'margin_section',
                       'budget_section'] -%}
    select * from {{ section }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        week_start_date,
        {{ add_days('week_start_date', 7) }} <= {{ as_of_date() }} as is_complete,
        section,
        cast(row_number() over (
            partition by week_start_date, section order by position_in_section, entity_type, entity_id
        ) as {{ dbt.type_bigint() }}) as rank_in_section,
        entity_type,
        entity_id,
        measure,
        amount_usd,
        compared_with,
        compared_usd,
        {{ ratio('amount_usd - compared_usd', 'compared_usd') }} as change_ratio,
        owner,
        decision
    from rows_of_sections

)

select * from final
