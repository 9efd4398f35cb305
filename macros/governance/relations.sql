{#- The one place that decides what the package reads. It never depends on what happens to exist. -#}
{% macro usage_events() -%}
    {%- set event_source = var('event_source', 'demo') -%}
    {%- if event_source == 'demo' -%}
        {{ return(ref('raw_demo_usage_events')) }}
    {%- elif event_source == 'landing' -%}
        {{ return(source('landing', 'raw_usage_events')) }}
    {%- elif event_source == 'source' -%}
        {{ return(ref(project_name, var('usage_events_model')) if var('usage_events_model', none) else source('app', 'usage_events')) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error("var event_source is '" ~ event_source ~ "'; it must be demo, landing or source") }}
    {%- endif -%}
{%- endmacro %}

{#- The logs that are read, the best first: of a call that several logged, the first one's record counts. The demo has one.
    Models of other systems' logs ask it whether they are enabled: dbt_project.yml knows no vars of a project. -#}
{% macro usage_sources() -%}
    {%- set known = ['app', 'litellm', 'otel', 'langfuse', 'helicone', 'claude_code'] -%}
    {%- set sources = var('usage_sources', ['app']) if var('event_source', 'demo') != 'demo' else ['app'] -%}
    {%- set sources = sources.replace(' ', '').split(',') if sources is string else sources -%}
    {%- for source in sources if source not in known -%}
        {{ exceptions.raise_compiler_error("var usage_sources names '" ~ source ~ "'; it may name " ~ known | join(', ')) }}
    {%- endfor -%}
    {%- if sources | unique | list | length != sources | length or not sources -%}
        {{ exceptions.raise_compiler_error('var usage_sources must name each log once, and at least one; it is ' ~ sources) }}
    {%- endif -%}
    {{ return(sources) }}
{%- endmacro %}

{#- The staged rows of a source, in the columns of a usage event. -#}
{% macro staged_events(source) -%}
    {%- set models = {
        'litellm': 'stg_litellm__spend_logs',
        'otel': 'stg_otel__spans',
        'langfuse': 'stg_langfuse__observations',
        'helicone': 'stg_helicone__requests',
        'claude_code': 'stg_claude_code__messages',
    } -%}
    {{ return(usage_events() if source == 'app' else ref(models[source])) }}
{%- endmacro %}

{#- The rows of a source as they were logged. -#}
{% macro logged_rows(source_name) -%}
    {%- set tables = {
        'litellm': 'spend_logs',
        'otel': 'spans',
        'langfuse': 'observations',
        'helicone': 'requests',
        'claude_code': 'messages',
    } -%}
    {{ return(usage_events() if source_name == 'app' else source(source_name, tables[source_name])) }}
{%- endmacro %}

{#- Can one call stand in several records? An application's own log names each call once. -#}
{% macro calls_may_repeat() -%}
    {{ return(usage_sources() != ['app']) }}
{%- endmacro %}

{#- Rows of files that could not be parsed; a table of your own has none. -#}
{% macro rejected_events() -%}
    {%- if var('event_source', 'demo') == 'source' -%}{{ return(none) }}{%- endif -%}
    {{ return(ref('raw_demo_rejected_events') if var('event_source', 'demo') == 'demo' else source('landing', 'raw_rejected_events')) }}
{%- endmacro %}

{#- A configuration seed: what `config_models` names in its place; on the demo, the demo company's where it has one. -#}
{% macro config_seed(name) -%}
    {%- set own = var('config_models', {}).get(name) -%}
    {%- set config_source = var('config_source', none) or ('demo' if var('event_source', 'demo') == 'demo' else 'own') -%}
    {%- set of_the_demo = [
        'allocation_methods', 'budgets', 'endpoint_aliases', 'endpoint_taxonomy', 'fixed_charges', 'identity_aliases',
        'key_registry', 'prompt_versions', 'routing_candidates', 'tenant_revenue',
    ] -%}
    {%- if own -%}
        {{ return(as_texts(ref(project_name, own))) }}
    {%- endif -%}
    {{ return(ref('demo_' ~ name) if config_source == 'demo' and name in of_the_demo else ref(name)) }}
{%- endmacro %}

{#- The rows of a table with every column as text, which is how the seeds are read. -#}
{% macro as_texts(relation) -%}
    {%- set columns = [] -%}
    {%- for column in (adapter.get_columns_in_relation(relation) if execute else []) -%}
        {%- do columns.append('cast(' ~ column.name ~ ' as ' ~ dbt.type_string() ~ ') as ' ~ column.name) -%}
    {%- endfor -%}
    {{ return('(select ' ~ columns | join(', ') ~ ' from ' ~ relation ~ ') as own_rows' if columns else relation) }}
{%- endmacro %}

{#- The bills that the log is held against. -#}
{% macro provider_bills() -%}
    {%- set known = ['openai', 'anthropic', 'bill_lines'] -%}
    {%- set bills = var('provider_bills', []) if var('event_source', 'demo') != 'demo' else ['openai', 'anthropic'] -%}
    {%- set bills = bills.replace(' ', '').split(',') if bills is string else bills -%}
    {%- for bill in bills if bill not in known -%}
        {{ exceptions.raise_compiler_error("var provider_bills names '" ~ bill ~ "'; it may name " ~ known | join(', ')) }}
    {%- endfor -%}
    {{ return(bills) }}
{%- endmacro %}

{#- What was fetched of a provider's bill: `usage`, `costs`, `lines` or, for all of them, `periods`. -#}
{% macro bill_rows(source_name, table) -%}
    {%- if var('event_source', 'demo') == 'demo' -%}
        {{ return(ref('raw_demo_' ~ source_name ~ '_' ~ table)) }}
    {%- endif -%}
    {{ return(source(source_name, table)) }}
{%- endmacro %}
