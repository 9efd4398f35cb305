select
    {{ lower_case('provider') }} as provider,
    cast(tolerance_ratio as {{ type_unit_price() }}) as tolerance_ratio,
    {{ money('tolerance_usd') }} as tolerance_usd,
    cast(final_after_days as {{ dbt.type_bigint() }}) as final_after_days
from {{ config_seed('reconciliation_tolerances') }}
