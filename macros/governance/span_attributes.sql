{#- What a span, one above it or the resource may say of whom a call was for and what for: the field, and the attributes
    that hold it, the package's own first. -#}
{% macro span_context_attributes() %}
    {%- set names = {
        'tenant_id': ['tenant.id'],
        'user_id': ['user.id', 'enduser.id', 'gen_ai.user', 'llm.user'],
        'session_id': ['session.id', 'gen_ai.conversation.id'],
        'external_request_id': [],
        'call_name': [],
        'endpoint_tag': ['gen_ai.prompt.name', 'traceloop.prompt.key'],
        'prompt_version': ['gen_ai.prompt.version', 'llm.prompt_template.version', 'traceloop.prompt.version'],
        'feature_name': [],
        'agent_id': ['gen_ai.agent.name', 'agent.name', 'gen_ai.agent.id'],
        'workflow_id': ['gen_ai.workflow.name', 'traceloop.workflow.name'],
        'cost_group': [],
        'user_type': [],
        'team': [],
        'project_id': [],
        'api_key_id': [],
        'environment': ['deployment.environment.name', 'deployment.environment'],
        'data_mode': [],
    } -%}
    {%- for field in names -%}
        {%- do names.update({field: ['llm_spend.' ~ field] + names[field] + [
            'traceloop.association.properties.' ~ field, 'metadata.' ~ field
        ]}) -%}
    {%- endfor -%}
    {{ return(names) }}
{% endmacro %}

{#- So many levels above a call are searched for what they say, and for a call that this one is a part of. -#}
{% macro span_levels() %}{{ return(12) }}{% endmacro %}
