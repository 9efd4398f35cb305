{#- What a provider bills, and where the event says how much of it there was: a field of its own, or a key of
    `other_usage`. A part belongs to the wholes it is counted in: without a price of its own it costs what they cost. -#}
{% macro usage_types() %}
    {{ return({
        'input': {'field': 'input_tokens', 'noun': 'tokens'},
        'cached_input': {'field': 'cached_input_tokens', 'noun': 'tokens', 'wholes': ['input']},
        'cache_write': {'field': 'cache_write_tokens', 'noun': 'tokens', 'wholes': ['input']},
        'cache_write_1h': {'field': 'cache_write_1h_tokens', 'noun': 'tokens', 'wholes': ['cache_write', 'input']},
        'input_audio': {'field': 'input_audio_tokens', 'noun': 'tokens', 'wholes': ['input']},
        'cached_audio': {
            'field': 'cached_audio_tokens', 'noun': 'tokens', 'wholes': ['cached_input', 'input_audio', 'input'],
        },
        'input_image': {'field': 'input_image_tokens', 'noun': 'tokens', 'wholes': ['input']},
        'cached_image': {
            'field': 'cached_image_tokens', 'noun': 'tokens', 'wholes': ['cached_input', 'input_image', 'input'],
        },
        'input_video': {'key': 'input_video_tokens', 'noun': 'tokens', 'wholes': ['input']},
        'output': {'field': 'output_tokens', 'noun': 'tokens'},
        'reasoning': {'field': 'reasoning_tokens', 'noun': 'tokens', 'wholes': ['output']},
        'citation': {'key': 'citation_tokens', 'noun': 'tokens', 'wholes': ['output']},
        'output_audio': {'field': 'output_audio_tokens', 'noun': 'tokens', 'wholes': ['output']},
        'output_image': {'field': 'output_image_tokens', 'noun': 'tokens', 'wholes': ['output']},
        'output_video': {'key': 'output_video_tokens', 'noun': 'tokens', 'wholes': ['output']},
        'characters': {'key': 'characters', 'noun': 'characters'},
        'messages': {'key': 'messages', 'noun': 'messages'},
        'audio_seconds': {'key': 'audio_seconds', 'noun': 'hour'},
        'input_audio_seconds': {'key': 'input_audio_seconds', 'noun': 'hour', 'wholes': ['audio_seconds']},
        'output_audio_seconds': {'key': 'output_audio_seconds', 'noun': 'hour', 'wholes': ['audio_seconds']},
        'pages': {'key': 'pages', 'noun': 'pages'},
        'annotated_pages': {'key': 'annotated_pages', 'noun': 'pages', 'wholes': ['pages']},
        'request': {'noun': 'requests'},
        'web_search': {'field': 'web_search_requests', 'noun': 'requests'},
        'storage_search': {'key': 'storage_searches', 'noun': 'requests'},
    }) }}
{% endmacro %}

{#- The usage types whose `noun` it is, as a list for SQL. -#}
{% macro usage_types_in(noun) -%}
    {%- set names = [] -%}
    {%- for name, about in usage_types().items() if about.noun == noun -%}{%- do names.append(name) -%}{%- endfor -%}
    {{ sql_list(names) }}
{%- endmacro %}

{#- How much of a usage type the event logged; null where it did not say. -#}
{% macro logged_quantity(usage_type) -%}
    {%- set about = usage_types()[usage_type] -%}
    {{ about.field or json_count('other_usage', about.key) }}
{%- endmacro %}

{#- SQL once for each usage type, its name in place of `<type>`. -#}
{% macro each_usage_type(templates, separator=',\n        ') -%}
    {%- set pieces = [] -%}
    {%- for usage_type in usage_types() -%}
        {%- for template in templates -%}{%- do pieces.append(template.replace('<type>', usage_type)) -%}{%- endfor -%}
    {%- endfor -%}
    {{ return(pieces | join(separator)) }}
{%- endmacro %}

{#- Usage types that are billed beside tokens and are no part of another. -#}
{% macro usage_types_beside_tokens() -%}
    {%- set names = [] -%}
    {%- for name, about in usage_types().items() if about.noun != 'tokens' and not about.wholes and name != 'request' -%}
        {%- do names.append(name) -%}
    {%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{#- What nearly every call consists of. -#}
{% macro text_usage_types() -%}
    {{ return(['input', 'cached_input', 'cache_write', 'cache_write_1h', 'output', 'reasoning']) }}
{%- endmacro %}

{#- Is anything but text billed? -#}
{% macro uses_more_than_text() -%}
    coalesce(
            other_usage is not null
            or request_unit_price is not null
            {%- for usage_type, about in usage_types().items() if about.field and usage_type not in text_usage_types() %}
            or {{ about.field }} > 0
            {%- endfor %},
            false
        )
{%- endmacro %}
