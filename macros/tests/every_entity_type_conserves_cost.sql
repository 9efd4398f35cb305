{#- Fails with the entity types whose dollars or other sums are not the whole's, and when there is none. -#}
{% test every_entity_type_conserves_cost(model, other, columns=['cost_usd', 'requests', 'attempts']) %}
{%- set sums, differences = [], [] -%}
{%- for column in columns -%}
    {%- do sums.append('sum(' ~ column ~ ') as ' ~ column) -%}
    {%- do differences.append('coalesce(by_type.' ~ column ~ ', 0) != coalesce(whole.' ~ column ~ ', 0)') -%}
{%- endfor -%}
with whole as (

    select
        1 as everything,
        {{ sums | join(',\n        ') }}
    from {{ other }}
    where is_in_scope

),

by_type as (

    select
        1 as everything,
        entity_type,
        {{ sums | join(',\n        ') }}
    from {{ model }}
    group by entity_type

)

select by_type.*
from whole
left join by_type
    on whole.everything = by_type.everything
where
    {{ differences | join('\n    or ') }}
{% endtest %}
