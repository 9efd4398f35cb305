-- Where every raw row went: accepted + duplicate + quarantined + rejected = raw.

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

raw_rows as (

    select
        'app' as source,
        cast(count(*) as {{ dbt.type_bigint() }}) as typed_rows
    from {{ usage_events() }}

),

final as (

    select
        raw_rows.source as source,
        raw_rows.typed_rows + coalesce(refused.rejected_rows, 0) as raw_rows,
        coalesce(accepted.accepted_rows, 0) as accepted_rows,
        coalesce(accepted.duplicate_rows, 0) as duplicate_rows,
        coalesce(refused.quarantined_rows, 0) as quarantined_rows,
        coalesce(refused.rejected_rows, 0) as rejected_rows
    from raw_rows
    left join accepted
        on raw_rows.source = accepted.source
    left join refused
        on raw_rows.source = refused.source

)

select * from final
