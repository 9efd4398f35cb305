{#- Does one of some names hold one of some words, in lower case? A word stands between the ends of a name, digits and marks:
    `qa-loadtest` holds qa, `latest` does not hold test. -#}
{% macro names_hold_word(columns, words) -%}
    {%- set parts = ["' '"] -%}
    {%- for column in columns -%}{%- do parts.extend([column, "' '"]) -%}{%- endfor -%}
    {%- set edge = '[-_ .:/@0-9]' -%}
    {{ regex_matches(lower_case(dbt.concat(parts)), "'" ~ edge ~ '(' ~ words | join('|') ~ ')' ~ edge ~ "'") }}
{%- endmacro %}

{#- Words in the name of a tenant, user or key that is there to test. -#}
{% macro test_words() %}
    {{ return([
        'test', 'tests', 'testing', 'tester', 'loadtest', 'qa', 'staging', 'sandbox', 'synthetic', 'dummy', 'demo',
    ]) }}
{% endmacro %}
