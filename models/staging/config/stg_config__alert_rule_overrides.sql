-- What is blank is as the rule says it.

select
    rule_id,
    entity_type,
    entity_id,
    cast(threshold as {{ type_ratio() }}) as threshold,
    {{ money('min_dollars') }} as min_dollars,
    cast(min_samples as {{ dbt.type_bigint() }}) as min_samples,
    severity,
    coalesce(is_enabled, 'true') = 'true' as is_enabled
from {{ config_seed('alert_rule_overrides') }}
