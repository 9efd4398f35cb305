{#- Fails with prices of a part whose whole has no price at the same time, and of two wholes whose common part has none: what
    is in both would be billed twice. `card` are the columns that say when a set of prices holds, and for whom. -#}
{% test parts_have_wholes(model, card) %}
{%- set needs = [] %}
{%- for part, about in usage_types().items() %}
    {%- for whole in about.get('wholes', []) %}
        {%- do needs.append([part, part, whole]) %}
        {%- for another in about.wholes[loop.index:] %}
            {%- if another not in usage_types()[whole].get('wholes', []) %}
                {%- do needs.append([whole, another, part]) %}
            {%- endif %}
        {%- endfor %}
    {%- endfor %}
{%- endfor %}
with prices as (

    select
        {{ card | join(',\n        ') }},
        usage_type,
        {{ key_hash(card) }} as card_key
    from {{ model }}

),

needs as (

    {% for priced, beside, needed in needs -%}
    select
        '{{ priced }}' as usage_type,
        '{{ beside }}' as beside,
        '{{ needed }}' as needed
    {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    prices.{{ card | join(',\n    prices.') }},
    prices.usage_type,
    {{ dbt.concat([
        'prices.usage_type',
        "case when needs.beside = prices.usage_type then '' else " ~ dbt.concat(["' and '", 'needs.beside']) ~ " end",
        "' without '",
        'needs.needed',
    ]) }} as fault
from prices
inner join needs
    on prices.usage_type = needs.usage_type
inner join prices as beside
    on prices.card_key = beside.card_key
    and needs.beside = beside.usage_type
left join prices as needed
    on prices.card_key = needed.card_key
    and needs.needed = needed.usage_type
where needed.usage_type is null
{% endtest %}
