{#- A full hour as ISO text. -#}
{% macro hour_text(timestamp_expression) -%}
    {{ dbt.concat([
        'cast(cast(' ~ timestamp_expression ~ ' as date) as ' ~ dbt.type_string() ~ ')',
        "' '",
        text_end(
            'cast(cast(extract(hour from ' ~ timestamp_expression ~ ') as ' ~ dbt.type_bigint() ~ ') + 100 as '
            ~ dbt.type_string() ~ ')', 2
        ),
        "':00:00'",
    ]) }}
{%- endmacro %}
