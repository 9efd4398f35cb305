{#- The names under which Langfuse's writers count tokens, by what is counted: those of its own price list, and of the
    answers that providers give. The var `langfuse_usage_keys` adds more, such as `{thoughts: reasoning, credits: ignored}`. -#}
{% macro langfuse_counters() -%}
    {%- set counters = {
        'fresh': [
            'input', 'input_tokens', 'prompt_tokens', 'prompt_token_count', 'promptTokenCount', 'input_text',
            'input_text_tokens', 'input_modality_1',
        ],
        'cached': [
            'input_cached_tokens', 'cache_read_input_tokens', 'input_cache_read', 'input_cached_text_tokens',
        ],
        'cached_inside': ['cached_content_token_count', 'cachedContentTokenCount'],
        'written': [
            'input_cache_creation', 'input_cache_creation_5m', 'cache_creation_input_tokens', 'input_cache_write',
            'cache_write_tokens',
        ],
        'written_1h': ['input_cache_creation_1h'],
        'input_audio': ['input_audio', 'input_audio_tokens'],
        'cached_audio': ['input_cached_audio_tokens'],
        'input_image': ['input_image', 'input_image_tokens'],
        'plain_output': [
            'output', 'output_tokens', 'completion_tokens', 'candidates_token_count', 'candidatesTokenCount',
            'output_text', 'output_text_tokens', 'output_modality_1', 'output_accepted_prediction_tokens',
            'output_rejected_prediction_tokens',
        ],
        'reasoning': [
            'output_reasoning_tokens', 'output_reasoning', 'reasoning_tokens', 'thoughts_token_count',
            'thoughtsTokenCount',
        ],
        'output_audio': ['output_audio', 'output_audio_tokens'],
        'output_image': ['output_image', 'output_image_tokens'],
        'web_search': [
            'grounding_queries', 'groundingQueries', 'web_search_queries', 'webSearchQueries', 'web_search_requests',
        ],
        'ignored': ['total', 'total_tokens', 'total_token_count', 'totalTokenCount'],
    } -%}
    {%- for key, counter in var('langfuse_usage_keys', {}).items() -%}
        {%- if counter not in counters -%}
            {{ exceptions.raise_compiler_error(
                "var langfuse_usage_keys says that '" ~ key ~ "' counts '" ~ counter ~ "'; it may say "
                ~ counters | join(', ')
            ) }}
        {%- endif -%}
        {%- do counters[counter].append(key) -%}
    {%- endfor -%}
    {{ return(counters) }}
{%- endmacro %}
