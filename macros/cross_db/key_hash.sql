{#- md5 over text keys and ISO dates, null as the empty text, in lower hex. Never over a rendered decimal: engines print them
    differently. -#}
{% macro key_hash(expressions) -%}
{%- set texts = [] -%}
{%- for expression in expressions -%}
    {%- if not loop.first %}{% do texts.append("'|'") %}{% endif -%}
    {%- do texts.append("coalesce(cast(" ~ expression ~ " as " ~ dbt.type_string() ~ "), '')") -%}
{%- endfor -%}
lower({{ dbt.hash(dbt.concat(texts)) }})
{%- endmacro %}
