select
    channel,
    kind,
    address_variable,
    secret_variable,
    severity,
    rule_id,
    entity_type,
    entity_id,
    owner,
    cast(repeat_hours as {{ dbt.type_bigint() }}) as repeat_hours,
    cast(messages_per_run as {{ dbt.type_bigint() }}) as messages_per_run,
    cast(messages_per_minute as {{ dbt.type_bigint() }}) as messages_per_minute
from {{ config_seed('alert_routes') }}
