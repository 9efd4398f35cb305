-- What came in from each source: the roll-up by which the log itself is judged, as fct_daily_spend is for the bill.

{{ replaces_days(day='usage_date', days='int_touched_dates') }}

-- depends_on: {{ ref('int_touched_dates') }}

{% set dimensions = [
    'source', 'usage_date', 'is_in_scope', 'endpoint_tag', 'prompt_version', 'model', 'cost_status',
] %}

with attempts as (

    select
        *,
        case
            when sample_rate < 1 then {{ derived_usd(ratio('1', 'sample_rate')) }}
            else {{ money('1') }}
        end as stands_for
    from {{ ref('fct_llm_attempts') }}
    {%- if is_incremental() %}
    where {{ attempts_on_touched_dates() }}
    {%- endif %}

),

final as (

    select
        {{ dimensions | join(',\n        ') }},
        cast(count(*) as {{ dbt.type_bigint() }}) as attempts,
        {{ sum_count('deliveries') }} as deliveries,
        {{ sum_money('stands_for') }} as estimated_calls,
        {{ sum_count('coalesce(input_tokens, 0)') }} as input_tokens,
        {{ sum_count('coalesce(output_tokens, 0)') }} as output_tokens,
        {{ sum_count('case when cost_usd is null then 1 else 0 end') }} as attempts_without_cost,
        {{ sum_money('coalesce(cost_usd, 0)') }} as cost_usd,
        min(event_id) as example_event_id
    from attempts
    group by
        {{ dimensions | join(',\n        ') }}

)

select * from final
