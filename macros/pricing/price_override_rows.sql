{#- Usage types that are no part of another, with the unit in which price pages quote them. The fee of the call itself is
    left out: nobody logs it. -#}
{% macro quoted_usage_types() %}
    {%- set price_units = {
        'tokens': '1M tokens', 'characters': '1M characters', 'messages': '1K messages', 'hour': '1 hour',
        'pages': '1K pages', 'requests': '1K requests',
    } -%}
    {%- set quoted = {} -%}
    {%- for usage_type, about in usage_types().items() if not about.wholes and usage_type != 'request' -%}
        {%- do quoted.update({usage_type: price_units[about.noun]}) -%}
    {%- endfor -%}
    {{ return(quoted) }}
{% endmacro %}

{#- The lines of price_overrides.csv for every `lacks_<usage type>`, `<price>` where the person puts it; null without any. -#}
{% macro price_override_rows(provider_id, model_id) %}
    {%- set lines = [] -%}
    {%- for usage_type, price_unit in quoted_usage_types().items() -%}
        {%- set line = dbt.concat([
            line_break(), csv_field(provider_id), "','", csv_field(model_id),
            "',," ~ usage_type ~ ',<price>,' ~ price_unit ~ ",USD,,,,'",
        ]) -%}
        {%- do lines.append('case when lacks_' ~ usage_type ~ ' then ' ~ line ~ " else '' end") -%}
    {%- endfor -%}
    nullif(substring({{ dbt.concat(lines) }}, 2), '')
{%- endmacro %}

{#- A text as a field of a CSV file. -#}
{% macro csv_field(text) -%}
case
    when {{ dbt.position("','", text) }} + {{ dbt.position("'\"'", text) }} > 0
        then {{ dbt.concat(["'\"'", 'replace(' ~ text ~ ", '\"', '\"\"')", "'\"'"]) }}
    else {{ text }}
end
{%- endmacro %}
