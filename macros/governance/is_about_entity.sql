{#- Is this attempt part of what an incident is about? -#}
{% macro is_about_entity(attempts, incidents) -%}
case {{ incidents }}.entity_type
            when 'total' then true
            when 'user' then {{ attempts }}.user_id = {{ incidents }}.entity_id
            {%- for entity_type, column in entity_columns().items() %}
            when '{{ entity_type }}' then {{ attempts }}.{{ column }} = {{ incidents }}.entity_id
            {%- endfor %}
            when 'prompt_version'
                then {{ dbt.concat([attempts ~ '.endpoint_tag', "' '", attempts ~ '.prompt_version']) }} = {{ incidents }}.entity_id
        end
{%- endmacro %}
