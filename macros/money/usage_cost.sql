{#- What one usage type of a call cost at a price of its rate card: 0 where nothing of it was billed, null where the call's
    cost is unknown. -#}
{% macro usage_cost(usage_type) -%}
case
            when cost_status = 'not_billed' then {{ money('0') }}
            when cost_status in ('priced', 'partial')
                then {{ money('coalesce(' ~ usage_type ~ '_quantity * ' ~ usage_type ~ '_unit_price, 0)') }}
        end
{%- endmacro %}
