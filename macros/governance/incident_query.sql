{#- The SQL, as text, that shows the calls of an incident, the dearest first; it runs as it is. -#}
{% macro incident_query(incidents) -%}
    {%- set quote = dbt.string_literal(dbt.escape_single_quotes("'")) -%}
    {%- set two_quotes = dbt.string_literal(dbt.escape_single_quotes("''")) -%}
    {%- set is_of = [] -%}
    {%- for entity_type, column in dict(
        entity_columns(), **dict(caller_columns(), prompt_version="concat(endpoint_tag, ' ', prompt_version)")
    ).items() -%}
        {%- do is_of.append("when '" ~ entity_type ~ "' then "
            ~ dbt.string_literal(dbt.escape_single_quotes(' and ' ~ column ~ ' = '))) -%}
    {%- endfor -%}
    {{ dbt.concat([
        "'select * from " ~ attempts_name() ~ " where usage_date >= '",
        quote, 'cast(cast(' ~ incidents ~ '.window_start as date) as ' ~ dbt.type_string() ~ ')', quote,
        "' and usage_hour >= '", quote, hour_text(incidents ~ '.window_start'), quote,
        "' and usage_hour < '", quote, hour_text(incidents ~ '.window_end'), quote,
        'coalesce(' ~ dbt.concat([
            'case ' ~ incidents ~ '.entity_type ' ~ is_of | join(' ') ~ ' end',
            quote,
            dbt.replace(incidents ~ '.entity_id', quote, two_quotes),
            quote,
        ]) ~ ", '')",
        'case when ' ~ is_of_all_traffic(incidents ~ '.period_type') ~ " then '' else ' and is_in_scope' end",
        "' order by cost_usd desc limit 100'",
    ]) }}
{%- endmacro %}

{#- What a person calls the table of the attempts. -#}
{% macro attempts_name() -%}
    {%- set attempts = ref('fct_llm_attempts') -%}
    {{ return(attempts.schema ~ '.' ~ attempts.identifier) }}
{%- endmacro %}
