{#- How much was billed beside tokens, of whatever. -#}
{% macro units_beside_tokens() -%}
    {{ usage_types_beside_tokens() | join('_quantity + ') }}_quantity + input_audio_seconds_quantity + output_audio_seconds_quantity + annotated_pages_quantity
{%- endmacro %}

{#- Was something billed beside tokens that the rate card has no price for? -#}
{% macro units_beside_tokens_lack_a_price() -%}
    {%- for usage_type in usage_types_beside_tokens() -%}
    ({{ usage_type }}_quantity > 0 and {{ usage_type }}_unit_price is null){{ ' or ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Does the cost depend on a breakdown that was not logged, or that contradicts itself? Of cached audio it must be known
    how much there was, because it is part of two wholes. -#}
{% macro breakdown_is_missing() -%}
    {%- for whole in ['input', 'cached_input', 'cache_write', 'input_audio', 'input_image', 'output', 'audio_seconds', 'pages'] -%}
    {{ whole }}_quantity < 0 or {% endfor -%}
    {%- for modality in ['audio', 'image'] -%}
    (
                    cached_{{ modality }}_unit_price is not null
                    and cached_{{ modality }}_tokens is null
                    and cached_input_tokens > 0
                    and input_{{ modality }}_tokens > 0
                ){{ ' or ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
