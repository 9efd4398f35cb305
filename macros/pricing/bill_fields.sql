{#- The tokens that a provider's usage report counts, in the fields of a usage event. -#}
{% macro bill_token_fields() -%}
    {{ return([
        'input_tokens', 'output_tokens', 'cached_input_tokens', 'cache_write_tokens', 'cache_write_1h_tokens',
        'input_audio_tokens', 'cached_audio_tokens', 'output_audio_tokens', 'input_image_tokens', 'cached_image_tokens',
        'output_image_tokens',
    ]) }}
{%- endmacro %}

{#- The usage types that are counted in these fields. -#}
{% macro bill_usage_types() -%}
    {%- set names = [] -%}
    {%- for name, about in usage_types().items() if about.field in bill_token_fields() -%}{%- do names.append(name) -%}{%- endfor -%}
    {{ return(names) }}
{%- endmacro %}

{#- A quantity of one usage type, apart from all others, in each of the fields that count it. -#}
{% macro quantities_in_fields(usage_type, quantity) -%}
    {%- set columns = [] -%}
    {%- for field in bill_token_fields() -%}
        {%- set names = [] -%}
        {%- for name, about in usage_types().items() -%}
            {%- for whole in [name] + about.get('wholes', []) if usage_types()[whole].field == field -%}{%- do names.append(name) -%}{%- endfor -%}
        {%- endfor -%}
        {%- do columns.append('case when ' ~ usage_type ~ ' in ' ~ sql_list(names) ~ ' then ' ~ quantity ~ ' end as ' ~ field) -%}
    {%- endfor -%}
    {{ return(columns | join(',\n        ')) }}
{%- endmacro %}

{#- SQL once for each name, the name in place of `<name>`. -#}
{% macro each_name(names, template, separator=',\n        ') -%}
    {%- set pieces = [] -%}
    {%- for name in names -%}{%- do pieces.append(template.replace('<name>', name)) -%}{%- endfor -%}
    {{ return(pieces | join(separator)) }}
{%- endmacro %}
