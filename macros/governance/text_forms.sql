{#- How a value must be written to be cast without a surprise: regular expressions that must all match. -#}
{% macro text_forms() %}
    {{ return({
        'price': ['^[0-9]{1,9}([.][0-9]{1,9})?$'],
        'amount': ['^[0-9]{1,12}([.][0-9]{1,6})?$'],
        'signed_amount': ['^-?[0-9]{1,12}([.][0-9]{1,6})?$'],
        'percent': ['^([0-9]{1,2}([.][0-9]{1,6})?|100([.]0{1,6})?)$'],
        'multiplier': ['^[0-9]{1,3}([.][0-9]{1,6})?$', '[1-9]'],
        'thresholds': ['^' ~ positive_number() ~ '( ' ~ positive_number() ~ '){0,4}$'],
        'exchange_rate': ['^[0-9]{1,5}([.][0-9]{1,12})?$', '[1-9]'],
        'count': ['^[0-9]{1,6}$', '[1-9]'],
        'variable': ['^[A-Z][A-Z0-9_]{0,99}$'],
        'channel': ['^[a-z][a-z0-9_-]{0,39}$'],
        'whole_number': ['^[0-9]{1,15}$'],
        'day': ['^' ~ calendar_day() ~ '$'],
        'minute': ['^' ~ calendar_day() ~ ' ([01][0-9]|2[0-3]):[0-5][0-9]$'],
        'month': ['^[1-9][0-9]{3}-(0[1-9]|1[0-2])(-01)?$'],
        'clock': ['^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$'],
        'clock_before_midnight': ['^([01][0-9]|2[0-3]):[0-5][0-9]$'],
        'weekdays': ['^(mon|tue|wed|thu|fri|sat|sun)( (mon|tue|wed|thu|fri|sat|sun))*$'],
        'families': ['^(' ~ rule_families() | join('|') ~ ')( (' ~ rule_families() | join('|') ~ '))*$'],
        'currency': ['^[A-Za-z]{3}$'],
        'currency_in_capitals': ['^[A-Z]{3}$'],
    }) }}
{% endmacro %}

{#- The pattern of a date of the calendar. -#}
{% macro calendar_day() %}
    {{ return(
        '([1-9][0-9]{3}-('
        ~ '(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))'
        ~ '|([1-9][0-9](0[48]|[2468][048]|[13579][26])|([2468][048]|[13579][26])00)-02-29)'
    ) }}
{% endmacro %}

{#- Is the text written in a form? A null is not. -#}
{% macro is_written_as(column, form) -%}
    {%- set matches = [] -%}
    {%- for pattern in text_forms()[form] -%}
        {%- do matches.append(regex_matches(column, "'" ~ pattern ~ "'")) -%}
    {%- endfor -%}
    coalesce({{ matches | join(' and ') }}, false)
{%- endmacro %}

{#- The pattern of a number above 0. -#}
{% macro positive_number() %}{{ return('([0-9]{0,2}[1-9][0-9]{0,2}([.][0-9]{1,6})?|[0-9]{1,3}[.][0-9]{0,5}[1-9][0-9]{0,5})') }}{% endmacro %}

{#- Do the numbers of a list in the form `thresholds` rise? A list in no such form is another test's matter. -#}
{% macro thresholds_rise(column) -%}
    {%- set rises = [] -%}
    {%- for place in range(2, most_thresholds() + 1) -%}
        {%- set number = "cast(nullif(" ~ text_word(column, place) ~ ", '') as " ~ type_unit_price() ~ ")" -%}
        {%- set number_before = "cast(nullif(" ~ text_word(column, place - 1) ~ ", '') as " ~ type_unit_price() ~ ")" -%}
        {%- do rises.append("coalesce(" ~ number_before ~ " < " ~ number ~ ", true)") -%}
    {%- endfor -%}
    case when {{ is_written_as(column, 'thresholds') }} then {{ rises | join(' and ') }} else true end
{%- endmacro %}
