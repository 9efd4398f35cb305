select
    alias,
    endpoint_tag
from {{ config_seed('endpoint_aliases') }}
