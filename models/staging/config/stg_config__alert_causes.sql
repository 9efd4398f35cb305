select
    cast(rank as {{ dbt.type_bigint() }}) as cause_rank,
    cause_id,
    rule_ids,
    signal,
    cast(at_least as {{ type_ratio() }}) as at_least,
    explanation,
    recommended_action
from {{ config_seed('alert_causes') }}
