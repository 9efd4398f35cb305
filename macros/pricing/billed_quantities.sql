{#- Three CTEs, of which `quantities` is the last, that add `<usage type>_quantity` to attempts joined with their rate card.
    The quantities are disjoint: a part with a price of its own is taken out of the wholes it is counted in, and one
    without stays in them. -#}
{% macro billed_quantities(attempts) %}
parts_of_parts as (

    select
        *,
        {{ billed_part('cached_audio') }},
        {{ billed_part('cached_image') }},
        {{ billed_part('cache_write_1h') }}
    from {{ attempts }}

),

parts_measured as (

    select
        *,
        {{ billed_part('cached_input', ['cached_audio', 'cached_image']) }},
        {{ billed_part('cache_write', ['cache_write_1h']) }},
        {{ billed_part('input_audio', ['cached_audio']) }},
        {{ billed_part('input_image', ['cached_image']) }},
        {{ billed_part('input_video') }},
        {{ billed_part('reasoning') }},
        {{ billed_part('citation') }},
        {{ billed_part('output_audio') }},
        {{ billed_part('output_image') }},
        {{ billed_part('output_video') }},
        {{ billed_part('input_audio_seconds') }},
        {{ billed_part('output_audio_seconds') }},
        {{ billed_part('annotated_pages') }}
    from parts_of_parts

),

quantities as (

    select
        *,
        input_tokens - cached_input_quantity - cache_write_quantity - cache_write_1h_quantity
        - input_audio_quantity - cached_audio_quantity - input_image_quantity - cached_image_quantity
        - input_video_quantity as input_quantity,
        output_tokens - reasoning_quantity - citation_quantity
        - output_audio_quantity - output_image_quantity - output_video_quantity as output_quantity,
        coalesce({{ logged_quantity('characters') }}, 0) as characters_quantity,
        coalesce({{ logged_quantity('messages') }}, 0) as messages_quantity,
        {{ whole_of('audio_seconds', ['input_audio_seconds', 'output_audio_seconds']) }}
        - input_audio_seconds_quantity - output_audio_seconds_quantity as audio_seconds_quantity,
        {{ whole_of('pages', ['annotated_pages']) }} - annotated_pages_quantity as pages_quantity,
        1 as request_quantity,
        coalesce(web_search_requests, 0) as web_search_quantity,
        coalesce({{ logged_quantity('storage_search') }}, 0) as storage_search_quantity
    from parts_measured

)
{%- endmacro %}

{#- What is billed at a part's own price, without the parts of it that have theirs; 0 without a price. -#}
{% macro billed_part(usage_type, parts=[]) -%}
case
            when {{ usage_type }}_unit_price is null then 0
            else coalesce({{ logged_quantity(usage_type) }}, 0)
            {%- for part in parts %} - {{ part }}_quantity{% endfor %}
        end as {{ usage_type }}_quantity
{%- endmacro %}

{#- A whole that may be logged by its parts alone. -#}
{% macro whole_of(usage_type, parts) -%}
    coalesce({{ logged_quantity(usage_type) }},
    {%- for part in parts %} coalesce({{ logged_quantity(part) }}, 0){{ ' +' if not loop.last }}{% endfor %})
{%- endmacro %}
