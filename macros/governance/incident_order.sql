{#- The families of rules, as alert_inhibitions.csv knows them. -#}
{% macro rule_families() %}{{ return(['source', 'anomaly', 'budget']) }}{% endmacro %}

{#- Of incidents that became known at the same moment, the one about the narrowest entity stands for the others. -#}
{% macro narrowness_rank(entity_type) -%}
case {{ entity_type }}
            {%- for narrower in [
                'run', 'prompt_version', 'agent', 'workflow', 'endpoint', 'feature', 'tenant', 'user', 'api_key',
                'project', 'cost_group', 'team', 'model', 'provider',
            ] %}
            when '{{ narrower }}' then {{ loop.index }}
            {%- endfor %}
            else 99
        end
{%- endmacro %}

{#- critical first. -#}
{% macro severity_rank(severity) -%}
case {{ severity }} when 'critical' then 1 when 'warning' then 2 else 3 end
{%- endmacro %}

{#- May an incident be a child of one of that family? -#}
{% macro is_hidden_by(children, parents) -%}
{{ dbt.concat(["' '", children ~ '.hidden_by', "' '"]) }} like {{ dbt.concat(["'% '", parents ~ '.family', "' %'"]) }}
{%- endmacro %}
