select
    rule_id,
    metric,
    kind,
    entity_type,
    cast(threshold as {{ type_ratio() }}) as threshold,
    cast(coalesce(min_deviations, '0') as {{ type_ratio() }}) as min_deviations,
    {{ money("coalesce(min_dollars, '0')") }} as min_dollars,
    cast(coalesce(min_samples, '0') as {{ dbt.type_bigint() }}) as min_samples,
    cast(coalesce(periods_to_open, '1') as {{ dbt.type_bigint() }}) as periods_to_open,
    cast(coalesce(periods_to_resolve, '1') as {{ dbt.type_bigint() }}) as periods_to_resolve,
    severity,
    owner,
    likely_cause,
    recommended_action
from {{ config_seed('alert_rules') }}
