-- The shop's log of calls, in the columns of a usage event.

select
    {{ llm_spend.usage_event({
        'event_id': 'id',
        'started_at': 'created_at',
        'provider': "'openai'",
        'model': 'model_name',
        'input_tokens': 'prompt_tokens',
        'output_tokens': 'completion_tokens',
        'cached_input_tokens': 'cached_tokens',
        'tenant_id': 'customer',
        'endpoint_tag': 'screen',
        'prompt_version': 'prompt_rev',
        'external_request_id': 'trace',
        'attempt_number': 'tries',
        'status': "case when outcome = 'ok' then 'success' else 'error' end",
    }) }}
from {{ ref('chat_log') }}
