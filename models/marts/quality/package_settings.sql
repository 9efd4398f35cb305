-- From when the numbers are judged and by which settings: what a reader must know to compare two copies.

with final as (

    select
        {{ as_of() }} as as_of,
        '{{ var("event_source", "demo") }}' as event_source,
        '{{ cost_source() }}' as cost_source,
        '{{ var("reporting_timezone", "UTC") }}' as reporting_timezone

)

select * from final
