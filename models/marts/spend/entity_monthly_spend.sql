-- Who owns which share of a provider's bill in a month: the rows that finance and the owner of an endpoint talk about.

{% set groupings = dict({'total': "'total'"}, **entity_columns()) %}

with spend as (

    select
        *,
        cast({{ dbt.date_trunc('month', 'usage_date') }} as date) as usage_month
    from {{ ref('fct_daily_spend') }}
    where is_in_scope

),

entities as (

    {% for entity_type, column in groupings.items() if entity_type != 'provider' -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        provider,
        usage_month,
        {{ sum_count('requests') }} as requests,
        {{ sum_count('attempts_without_cost') }} as attempts_without_cost,
        {{ sum_money('cost_usd') }} as cost_usd
    from spend
    group by {{ column ~ ', ' if entity_type != 'total' }}provider, usage_month
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

final as (

    select
        this_month.entity_type,
        this_month.entity_id,
        this_month.provider,
        this_month.usage_month,
        this_month.requests,
        this_month.attempts_without_cost,
        this_month.cost_usd,
        {{ ratio(
            'this_month.cost_usd',
            'sum(this_month.cost_usd) over (partition by this_month.entity_type, this_month.provider, this_month.usage_month)'
        ) }} as share_of_provider_ratio,
        {{ ratio(
            'this_month.cost_usd',
            'sum(this_month.cost_usd) over (partition by this_month.entity_type, this_month.usage_month)'
        ) }} as share_of_total_ratio,
        month_before.cost_usd as cost_usd_month_before,
        {{ ratio('this_month.cost_usd - month_before.cost_usd', 'month_before.cost_usd') }}
            as month_over_month_change_ratio
    from entities as this_month
    left join entities as month_before
        on this_month.entity_type = month_before.entity_type
        and this_month.entity_id = month_before.entity_id
        and this_month.provider = month_before.provider
        and this_month.usage_month = cast({{ dbt.dateadd('month', 1, 'month_before.usage_month') }} as date)

)

select * from final
