select
    endpoint_tag,
    provider_id,
    model_id,
    candidate_provider_id,
    candidate_model_id,
    note
from {{ config_seed('routing_candidates') }}
