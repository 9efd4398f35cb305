{#- The value under a path of keys in a json object, as text: of a text its words, of anything else its json. Null where
    there is none, or a json null, or no json at all. Keys may hold dots. -#}
{% macro json_value(expression, keys) -%}
    {{ return(adapter.dispatch('json_value', 'llm_spend')(expression, [keys] if keys is string else keys)) }}
{%- endmacro %}

{% macro default__json_value(expression, keys) -%}
try(json_extract_string({{ expression }}, '$."{{ keys | join('"."') }}"'))
{%- endmacro %}

{% macro postgres__json_value(expression, keys) -%}
(cast(case when left({{ expression }}, 1) = '{' then {{ expression }} end as json) #>> array['{{ keys | join("', '") }}'])
{%- endmacro %}

{#- It gives a number no text of its own. -#}
{% macro clickhouse__json_value(expression, keys) -%}
{%- set place = expression ~ ", '" ~ keys | join("', '") ~ "'" -%}
case
    when JSONType({{ place }}) = 'String'
        then JSONExtractString({{ place }})
    else nullIf(nullIf(JSONExtractRaw({{ place }}), 'null'), '')
end
{%- endmacro %}

{% macro spark__json_value(expression, keys) -%}
get_json_object({{ expression }}, "$['{{ keys | join("']['") }}']")
{%- endmacro %}

{% macro snowflake__json_value(expression, keys) -%}
cast(get_path(parse_json({{ expression }}), '["{{ keys | join('"]["') }}"]') as {{ dbt.type_string() }})
{%- endmacro %}

{#- Its json_value gives an object or a list no text. -#}
{% macro bigquery__json_value(expression, keys) -%}
{%- set place = "'$.\"" ~ keys | join('"."') ~ "\"'" -%}
coalesce(json_value({{ expression }}, {{ place }}), json_query({{ expression }}, {{ place }}))
{%- endmacro %}

{#- The first of several names under which an object may hold a value. -#}
{% macro first_json_value(expression, names) -%}
    {%- set values = [] -%}
    {%- for name in names -%}{%- do values.append(json_value(expression, name) | trim) -%}{%- endfor -%}
coalesce(
    {{ values | join(',\n    ') }}
)
{%- endmacro %}
