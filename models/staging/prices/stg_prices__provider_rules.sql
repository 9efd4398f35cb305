select
    provider_id,
    cast(provider_ordinal as {{ dbt.type_bigint() }}) as provider_ordinal,
    purpose,
    cast(rule_group as {{ dbt.type_bigint() }}) as rule_group,
    kind,
    pattern,
    is_negated = 'true' as is_negated,
    count(*) over (partition by provider_id, purpose, rule_group) as rules_in_group
from {{ ref('provider_rules') }}
