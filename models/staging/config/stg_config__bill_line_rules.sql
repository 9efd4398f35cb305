select
    cast(priority as {{ dbt.type_bigint() }}) as priority,
    {{ lower_case('provider') }} as provider,
    {{ lower_case('kind') }} as kind,
    {{ lower_case('pattern') }} as pattern,
    charge_kind,
    false as is_negated
from {{ config_seed('bill_line_rules') }}
