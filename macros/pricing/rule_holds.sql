{#- Does a lower-cased name pass one test of the price book's match rules? The rule's columns are read from `rules`. -#}
{% macro rule_holds(name, rules) -%}
case {{ rules }}.kind
            when 'equals' then {{ name }} = {{ rules }}.pattern
            when 'starts_with' then {{ dbt.position(rules ~ '.pattern', name) }} = 1
            when 'ends_with' then {{ dbt.right(name, dbt.length(rules ~ '.pattern')) }} = {{ rules }}.pattern
            when 'contains' then {{ dbt.position(rules ~ '.pattern', name) }} > 0
            when 'regex' then {{ regex_matches(name, rules ~ '.pattern') }}
        end != {{ rules }}.is_negated
{%- endmacro %}
