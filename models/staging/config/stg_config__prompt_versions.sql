select
    endpoint_tag,
    prompt_version,
    predecessor,
    change_note,
    owner
from {{ config_seed('prompt_versions') }}
