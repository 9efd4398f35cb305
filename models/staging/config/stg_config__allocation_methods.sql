select
    {{ lower_case('provider') }} as provider,
    allocation_method
from {{ config_seed('allocation_methods') }}
