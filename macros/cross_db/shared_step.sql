{#- How a step that others read several times is kept: a view, where the engine plans it once. -#}
{% macro shared_step() %}{{ return(adapter.dispatch('shared_step', 'llm_spend')()) }}{% endmacro %}

{% macro default__shared_step() %}{{ return('view') }}{% endmacro %}

{#- Spark copies a view to each place that reads it: of a few on top of each other its planner makes gigabytes. -#}
{% macro spark__shared_step() %}{{ return('table') }}{% endmacro %}

{#- ClickHouse runs a view again for each place that reads it. -#}
{% macro clickhouse__shared_step() %}{{ return('table') }}{% endmacro %}

{#- Both work a view out again in each place that reads it. -#}
{% macro snowflake__shared_step() %}{{ return('table') }}{% endmacro %}
{% macro bigquery__shared_step() %}{{ return('table') }}{% endmacro %}
