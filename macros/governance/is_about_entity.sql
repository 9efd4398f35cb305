{#- Is this row of a table of calls part of what an incident is about? Roll-ups know no single callers. -#}
{% macro is_about_entity(calls, incidents, has_callers=true) -%}
case {{ incidents }}.entity_type
            when 'total' then true
            {%- if has_callers %}
            {%- for entity_type, column in caller_columns().items() %}
            when '{{ entity_type }}' then {{ calls }}.{{ column }} = {{ incidents }}.entity_id
            {%- endfor %}
            {%- endif %}
            {%- for entity_type, column in entity_columns().items() %}
            when '{{ entity_type }}' then {{ calls }}.{{ column }} = {{ incidents }}.entity_id
            {%- endfor %}
            when 'prompt_version' then {{ prompt_version_id(calls ~ '.') }} = {{ incidents }}.entity_id
        end
{%- endmacro %}

{#- What a prompt version is called as an entity. -#}
{% macro prompt_version_id(calls='') -%}
{{ dbt.concat([calls ~ 'endpoint_tag', "' '", calls ~ 'prompt_version']) }}
{%- endmacro %}
