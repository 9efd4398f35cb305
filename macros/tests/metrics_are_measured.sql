{#- Fails with the rows on which a metric is asked of a type of entities that it is not measured of: they would silently do
    nothing. What is no word of ours is another test's matter. -#}
{% test metrics_are_measured(model) %}
select
    *,
    'entity_type' as fault_column,
    case metric
    {%- for name, about in alert_metrics().items() %}
        when '{{ name }}' then '{{ about.of | join(', ') }}'
    {%- endfor %}
    end as fault
from {{ model }}
where
    entity_type in {{ sql_list(alert_entity_types()) }}
    and case metric
    {%- for name, about in alert_metrics().items() %}
        when '{{ name }}' then entity_type not in {{ sql_list(about.of) }}
    {%- endfor %}
        else false
    end
{% endtest %}
