{#- The release of this package, as dbt_project.yml says it: dbt tells a package only the name of the project it is in. -#}
{% macro package_version() %}{{ return('0.1.0') }}{% endmacro %}

{#- The release of dbt that runs. -#}
{% macro version_of_dbt() %}{{ return(dbt_version) }}{% endmacro %}
