{#- Does the text hold the pattern? Patterns keep to the subset `[0-9] ^ $ ( | ) [ ] * + ?`, which every engine reads alike. -#}
{% macro regex_matches(text_expression, pattern_expression) -%}
    {{ return(adapter.dispatch('regex_matches', 'llm_spend')(text_expression, pattern_expression)) }}
{%- endmacro %}

{% macro default__regex_matches(text_expression, pattern_expression) -%}
regexp_matches({{ text_expression }}, {{ pattern_expression }})
{%- endmacro %}

{% macro postgres__regex_matches(text_expression, pattern_expression) -%}
({{ text_expression }} ~ {{ pattern_expression }})
{%- endmacro %}

{% macro clickhouse__regex_matches(text_expression, pattern_expression) -%}
(match({{ text_expression }}, {{ pattern_expression }}))
{%- endmacro %}

{#- Java's `$` also stands before a line break that ends the text; `\z` does not. In brackets `$` is a letter. -#}
{% macro spark__regex_matches(text_expression, pattern_expression) -%}
({{ text_expression }} rlike regexp_replace({{ pattern_expression }}, '[$](?![^\\[]*\\])', '\\\\z'))
{%- endmacro %}

{#- Its own regexp_like wants the pattern to hold for the whole text. -#}
{% macro snowflake__regex_matches(text_expression, pattern_expression) -%}
(regexp_instr({{ text_expression }}, {{ pattern_expression }}) > 0)
{%- endmacro %}

{% macro bigquery__regex_matches(text_expression, pattern_expression) -%}
regexp_contains({{ text_expression }}, {{ pattern_expression }})
{%- endmacro %}
