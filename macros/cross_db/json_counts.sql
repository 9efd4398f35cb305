{#- The sum of the whole numbers that a flat json object has under any of several keys. Most objects have few of them, and to
    look for a key's letters is cheap. -#}
{% macro json_counts(expression, keys) -%}
    {%- set counts = [] -%}
    {%- for key in keys -%}
        {%- do counts.append(
            "case\n            when " ~ expression ~ " like '%\"" ~ key ~ "\"%'\n                then coalesce(\n"
            ~ count_or_null(json_value(expression, key)) ~ ", 0)\n            else 0\n        end"
        ) -%}
    {%- endfor -%}
{{ counts | join('\n        + ') }}
{%- endmacro %}
