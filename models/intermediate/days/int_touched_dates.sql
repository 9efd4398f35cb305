-- The same days as dates of the reporting time zone, where one UTC day lies in two or three.

{% for clock in ['00:00:00', '12:00:00', '23:59:59.999999'] -%}
select
    cast(
        {{ in_reporting_timezone(
            'cast(' ~ dbt.concat(['cast(usage_date_utc as ' ~ dbt.type_string() ~ ')', "' " ~ clock ~ "'"])
            ~ ' as ' ~ type_utc_timestamp() ~ ')'
        ) }} as date
    ) as usage_date,
    is_everything
from {{ ref('int_touched_days') }}
{{ 'union distinct' if not loop.last }}
{% endfor %}
