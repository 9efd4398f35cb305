select
    provider_id,
    model_id,
    cast(model_ordinal as {{ dbt.type_bigint() }}) as model_ordinal,
    cast(rule_group as {{ dbt.type_bigint() }}) as rule_group,
    kind,
    pattern,
    is_negated = 'true' as is_negated,
    count(*) over (partition by provider_id, model_id, rule_group) as rules_in_group
from {{ ref('model_rules') }}
