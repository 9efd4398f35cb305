{#- What each usage type of a call cost at the unit prices of its rate card: 0 where nothing of it was billed, null where the
    call's cost is unknown. Ten million calls take a third less time when what a call does not use is not multiplied. -#}
{% macro usage_costs() -%}
    {%- set costs = [] -%}
    {%- for usage_type in usage_types() -%}
        {%- set is_used = usage_type ~ '_quantity != 0' -%}
        {%- do costs.append("case
            when is_costed and " ~ ('' if usage_type in text_usage_types() else 'uses_more_than_text and ') ~ is_used ~ "
                then " ~ usage_cost('<type>_unit_price').replace('<type>', usage_type) ~ "
            else zero_usd
        end as " ~ usage_type ~ "_cost_usd") -%}
    {%- endfor -%}
    {{ return(costs | join(',\n        ')) }}
{%- endmacro %}

{#- The sum of those that nearly every call consists of, and of all others: most calls have none. -#}
{% macro text_costs_sum() -%}
    {{ text_usage_types() | join('_cost_usd + ') }}_cost_usd
{%- endmacro %}
{% macro other_costs_sum() -%}
    {%- set costs = [] -%}
    {%- for usage_type in usage_types() if usage_type not in text_usage_types() -%}
        {%- do costs.append(usage_type ~ '_cost_usd') -%}
    {%- endfor -%}
    {{ return('case when uses_more_than_text then ' ~ money(costs | join(' + ')) ~ ' else zero_usd end') }}
{%- endmacro %}

{#- Quantity times one of the unit prices of a usage type, `<type>` standing for its name. -#}
{% macro usage_cost(unit_price) -%}
    {{ return(money('coalesce(' ~ product('<type>_quantity', unit_price) ~ ', 0)')) }}
{%- endmacro %}

{#- What the tokens of the prompt cache would have cost as plain input, less what they cost. -#}
{% macro cache_savings() -%}
    {%- set quantities, costs = [], [] -%}
    {%- for usage_type in ['cached_input', 'cache_write', 'cache_write_1h'] -%}
        {%- do quantities.append(usage_type ~ '_quantity') -%}
        {%- do costs.append(usage_type ~ '_cost_usd') -%}
    {%- endfor -%}
    case
            when is_costed and {{ quantities | join(' + ') }} != 0 and input_unit_price is not null
                then {{ money(
                    money(product('(' ~ quantities | join(' + ') ~ ')', 'input_unit_price')) ~ ' - ' ~ costs | join(' - ')
                ) }}
            else zero_usd
        end
{%- endmacro %}

{#- The sum of all usage types' costs at the list prices. -#}
{% macro list_cost() -%}
    {{ return(money(each_usage_type([usage_cost('list_<type>_unit_price')], ' + '))) }}
{%- endmacro %}
