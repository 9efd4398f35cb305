-- Names are resolved and matched with rate cards once each, never once per call.

select distinct
    provider,
    model,
    service_tier,
    lower(coalesce(speed, '')) as speed,
    lower(coalesce(region, '')) as region
from {{ ref('int_usage_events_identified') }}
where model is not null
