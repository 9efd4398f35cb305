select
    endpoint_tag,
    prompt_version,
    predecessor,
    change_note
from {{ config_seed('prompt_versions') }}
