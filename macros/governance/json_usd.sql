{#- Dollars as a json number with six decimals, made of whole numbers: engines write decimals differently. -#}
{% macro json_usd(amount_usd) -%}
    {%- set millionths = 'cast(floor(abs(' ~ amount_usd ~ ') * 1000000) as ' ~ dbt.type_bigint() ~ ')' -%}
    {%- set dollars = 'cast(floor(abs(' ~ amount_usd ~ ')) as ' ~ dbt.type_bigint() ~ ')' -%}
    {{ dbt.concat([
        "case when " ~ amount_usd ~ " < 0 then '-' else '' end",
        'cast(' ~ dollars ~ ' as ' ~ dbt.type_string() ~ ')',
        "'.'",
        text_end(
            'cast(' ~ millionths ~ ' - ' ~ dollars ~ ' * 1000000 + 1000000 as ' ~ dbt.type_string() ~ ')', 6
        ),
    ]) }}
{%- endmacro %}
