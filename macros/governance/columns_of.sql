{#- Columns of one of several joined relations. Each is given its name once more: where another of them has a column of that
    name too, ClickHouse would call it `relation.column`. -#}
{% macro columns_of(relation, columns) -%}
    {%- set named = [] -%}
    {%- for column in columns -%}{%- do named.append(relation ~ '.' ~ column ~ ' as ' ~ column) -%}{%- endfor -%}
    {{ return(named | join(',\n        ')) }}
{%- endmacro %}
