select
    rule_id,
    family,
    cast(rank as {{ dbt.type_bigint() }}) as rule_rank,
    coalesce(hidden_by, '') as hidden_by,
    cast(coalesce(within_days, '0') as {{ dbt.type_bigint() }}) as within_days
from {{ config_seed('alert_inhibitions') }}
