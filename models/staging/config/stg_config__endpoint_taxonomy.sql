select
    endpoint_tag,
    owner,
    note
from {{ config_seed('endpoint_taxonomy') }}
