{#- What FOCUS calls the functionality that a usage type measures. -#}
{% macro focus_meter(usage_type) -%}
    {%- set name = usage_type | replace('_', ' ') | title -%}
    {{ return(name ~ ' Tokens' if usage_types()[usage_type].noun == 'tokens' else name) }}
{%- endmacro %}

{#- The unit in which a noun of `usage_types()` is counted, in the words of FOCUS. Hours of audio are counted and priced in
    seconds: an hour's price times a part of an hour would not be the cost to the last digit. -#}
{% macro focus_unit(noun) -%}
    {{ return({
        'tokens': 'Tokens', 'characters': 'Characters', 'messages': 'Messages', 'hour': 'Seconds', 'pages': 'Pages',
        'requests': 'Requests',
    }[noun]) }}
{%- endmacro %}

{#- Who a call belongs to as the json object that FOCUS calls tags: the environment, and of the rest what is known. -#}
{% macro focus_tags() -%}
    {%- set pieces = ["'{\"environment\":'", json_text('environment')] -%}
    {%- for owner in ['data_mode', 'tenant_id', 'team', 'cost_group'] -%}
        {%- set known = json_text('nullif(' ~ owner ~ ', ' ~ unattributed() ~ ')') -%}
        {%- do pieces.append('coalesce(' ~ dbt.concat(["',\"" ~ owner ~ "\":'", known]) ~ ", '')") -%}
    {%- endfor -%}
    {{ return(dbt.concat(pieces + ["'}'"])) }}
{%- endmacro %}
