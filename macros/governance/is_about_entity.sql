{#- Is this attempt part of what an incident is about? -#}
{% macro is_about_entity(attempts, incidents) -%}
case {{ incidents }}.entity_type
            when 'total' then true
            {%- for entity_type, column in {
                'tenant': 'tenant_id', 'team': 'team', 'endpoint': 'endpoint_tag', 'feature': 'feature_name', 'agent': 'agent_id',
                'workflow': 'workflow_id', 'cost_group': 'cost_group', 'project': 'project_id', 'api_key': 'api_key_id',
                'provider': 'provider', 'model': 'model', 'user': 'user_id',
            }.items() %}
            when '{{ entity_type }}' then {{ attempts }}.{{ column }} = {{ incidents }}.entity_id
            {%- endfor %}
            when 'prompt_version'
                then {{ dbt.concat([attempts ~ '.endpoint_tag', "' '", attempts ~ '.prompt_version']) }} = {{ incidents }}.entity_id
        end
{%- endmacro %}
