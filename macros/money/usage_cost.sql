{#- What each usage type of a call cost at the unit prices of its rate card: 0 where nothing of it was billed, null where the
    call's cost is unknown. -#}
{% macro usage_costs() -%}
    {{ return(each_usage_type(["case
            when cost_status = 'not_billed' then " ~ money('0') ~ "
            when cost_status in ('priced', 'partial')
                then " ~ usage_cost('<type>_unit_price') ~ "
        end as <type>_cost_usd"])) }}
{%- endmacro %}

{#- Quantity times one of the unit prices of a usage type, `<type>` standing for its name. -#}
{% macro usage_cost(unit_price) -%}
    {{ return(money('coalesce(<type>_quantity * ' ~ unit_price ~ ', 0)')) }}
{%- endmacro %}

{#- The sum of all usage types' costs at the list prices. -#}
{% macro list_cost() -%}
    {{ return(money(each_usage_type([usage_cost('list_<type>_unit_price')], ' + '))) }}
{%- endmacro %}
