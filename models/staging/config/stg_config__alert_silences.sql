select
    severity,
    rule_id,
    entity_type,
    entity_id,
    owner,
    cast({{ dbt.concat(["starts_at", "':00'"]) }} as {{ type_utc_timestamp() }}) as starts_at,
    cast({{ dbt.concat(["ends_at", "':00'"]) }} as {{ type_utc_timestamp() }}) as ends_at,
    author,
    reason
from {{ config_seed('alert_silences') }}
