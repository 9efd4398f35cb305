{#- What an engine must be told before it runs a model. -#}
{% macro session_settings() %}{{ return(adapter.dispatch('session_settings', 'llm_spend')()) }}{% endmacro %}

{% macro default__session_settings() %}{% endmacro %}

{#- Postgres takes a few hundred rows for a few, behind views that quarantine and deduplicate, and then compares every row with
    every row. Until the end of the transaction it joins by hash or by order; and compiles nothing, which takes longer than
    it saves. -#}
{% macro postgres__session_settings() %}set local enable_nestloop = off; set local jit = off{% endmacro %}

{#- Timestamps are naive UTC. A sum of many costs keeps its twelve decimals: by default Spark gives them up for digits before the
    point that no cost has. What it infers of long conditions fills the memory. -#}
{% macro spark__session_settings() %}
    {%- if execute -%}
        {%- do run_query('set spark.sql.session.timeZone = UTC') -%}
        {%- do run_query('set spark.sql.decimalOperations.allowPrecisionLoss = false') -%}
        {%- do run_query('set spark.sql.constraintPropagation.enabled = false') -%}
    {%- endif -%}
{% endmacro %}

{#- What an account may have set otherwise: dates are part of keys, and timestamps have no zone. -#}
{% macro snowflake__session_settings() -%}
alter session set timezone = 'UTC', timestamp_type_mapping = 'TIMESTAMP_NTZ', date_output_format = 'YYYY-MM-DD'
{%- endmacro %}
