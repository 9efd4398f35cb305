select
    api_key_id,
    project_id,
    team,
    {{ lower_case('environment') }} as environment,
    owner,
    {{ money('monthly_cap_usd') }} as monthly_cap_usd
from {{ config_seed('key_registry') }}
