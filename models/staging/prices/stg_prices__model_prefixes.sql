select
    prefix,
    provider_id,
    source
from {{ ref('model_prefixes') }}
