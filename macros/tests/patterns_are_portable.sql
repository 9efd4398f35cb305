{#- Fails with regular expressions outside the subset that every engine reads alike: no backslash, no `(?`, no doubled or
    leading quantifier, and as many brackets closed as opened. -#}
{% test patterns_are_portable(model) %}
select
    *,
    'pattern' as fault_column
from {{ model }}
where
    {{ lower_case('kind') }} = 'regex'
    and (
        not {{ regex_matches(
            "replace(replace(pattern, '[', ''), ']', '')", "'^[a-zA-Z0-9 _.,:;@#/^$()|*+?{}=-]+$'"
        ) }}
        or {{ regex_matches('pattern', "'(^|[(|*+?}])[*+?{]'") }}
        {%- for opening, closing in ['()', '[]', '{}'] %}
        or length(replace(pattern, '{{ opening }}', ''))
        != length(replace(pattern, '{{ closing }}', ''))
        {%- endfor %}
    )
{% endtest %}
