{#- What a price may buy of a noun of `usage_types()`. -#}
{% macro price_units(noun) %}
    {{ return({
        'tokens': ['1M tokens', '1K tokens'],
        'characters': ['1M characters', '1K characters'],
        'messages': ['1K messages', '1 message'],
        'hour': ['1 hour', '1 minute'],
        'pages': ['1K pages', '1 page'],
        'requests': ['1K requests', '1 request'],
    }[noun]) }}
{% endmacro %}
