-- Where every raw row went: accepted + duplicate + merged + quarantined + rejected + left out = raw + gone, for
-- attempts outlive raw rows.

with accepted as (

    select
        source,
        cast(count(*) as {{ dbt.type_bigint() }}) as accepted_rows,
        {{ sum_count('deliveries - 1') }} as duplicate_rows
    from {{ ref('fct_llm_attempts') }}
    group by source

),

refused as (

    select
        source,
        {{ sum_count("case when outcome = 'quarantined' then 1 else 0 end") }} as quarantined_rows,
        {{ sum_count("case when outcome = 'rejected' then 1 else 0 end") }} as rejected_rows
    from {{ ref('quarantined_events') }}
    group by source

),

merged as (

    select
        source,
        {{ sum_count('deliveries') }} as merged_rows
    from {{ ref('merged_calls') }}
    group by source

),

left_out as (

    select
        source,
        cast(count(*) as {{ dbt.type_bigint() }}) as left_out_rows
    from {{ ref('int_usage_events_judged') }}
    where left_out_reason is not null
    group by source

),

raw_rows as (

    {% for source in usage_sources() -%}
    select
        '{{ source }}' as source,
        cast(count(*) as {{ dbt.type_bigint() }}) as typed_rows
    from {{ logged_rows(source) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

counted as (

    select
        raw_rows.source as source,
        raw_rows.typed_rows,
        coalesce(accepted.accepted_rows, 0) as accepted_rows,
        coalesce(accepted.duplicate_rows, 0) as duplicate_rows,
        coalesce(refused.quarantined_rows, 0) as quarantined_rows,
        coalesce(refused.rejected_rows, 0) as rejected_rows,
        coalesce(merged.merged_rows, 0) as merged_rows,
        coalesce(left_out.left_out_rows, 0) as left_out_rows
    from raw_rows
    left join accepted
        on raw_rows.source = accepted.source
    left join refused
        on raw_rows.source = refused.source
    left join merged
        on raw_rows.source = merged.source
    left join left_out
        on raw_rows.source = left_out.source

),

final as (

    select
        source,
        typed_rows + rejected_rows as raw_rows,
        accepted_rows,
        duplicate_rows,
        quarantined_rows,
        rejected_rows,
        -- never below zero: rows that fell out between landing and the attempts must not pass for an old one's absence
        case
            when accepted_rows + duplicate_rows + merged_rows + quarantined_rows + left_out_rows > typed_rows
                then accepted_rows + duplicate_rows + merged_rows + quarantined_rows + left_out_rows - typed_rows
            else 0
        end as raw_rows_gone,
        merged_rows,
        left_out_rows
    from counted

)

select * from final
