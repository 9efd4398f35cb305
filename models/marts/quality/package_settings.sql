-- What a reader of two copies must compare before the numbers: from when they are judged, by which settings, releases,
-- prices and configuration.

{% set settings = [
    ('as_of', as_of_text(), none, 'The moment, in UTC, that alerts, budgets and complete days are judged from; by default the start of the run.'),
    ('event_source', var('event_source', 'demo'), 'demo', 'Which usage events were read: demo, landing or source.'),
    ('config_source', var('config_source', none) or ('demo' if var('event_source', 'demo') == 'demo' else 'own'), none, 'Whose configuration holds, demo or own; by default that of the events.'),
    ('cost_source', cost_source(), 'calculate', 'Whose figure a cost is: calculate (ours), reported (of the client or gateway) or auto.'),
    ('reporting_timezone', var('reporting_timezone', 'UTC'), 'UTC', 'The time zone of usage_date and usage_hour.'),
    ('package_version', package_version(), none, 'The release of this package.'),
    ('attempts_version', attempts_version(), none, 'Raised with each release that makes other attempts of the same rows.'),
    ('dbt_version', version_of_dbt(), none, 'The release of dbt that built the marts.'),
] %}
{% set configuration = {
    'alert_causes': config_seed('alert_causes'),
    'alert_inhibitions': config_seed('alert_inhibitions'),
    'alert_routes': config_seed('alert_routes'),
    'alert_rule_overrides': config_seed('alert_rule_overrides'),
    'alert_rules': config_seed('alert_rules'),
    'alert_silences': config_seed('alert_silences'),
    'allocation_methods': config_seed('allocation_methods'),
    'bill_line_rules': config_seed('bill_line_rules'),
    'budgets': config_seed('budgets'),
    'endpoint_aliases': config_seed('endpoint_aliases'),
    'endpoint_taxonomy': config_seed('endpoint_taxonomy'),
    'fixed_charges': config_seed('fixed_charges'),
    'fx_rates': config_seed('fx_rates'),
    'identity_aliases': config_seed('identity_aliases'),
    'key_registry': config_seed('key_registry'),
    'model_aliases': config_seed('model_aliases'),
    'price_overrides': config_seed('price_overrides'),
    'prompt_versions': config_seed('prompt_versions'),
    'reconciliation_tolerances': config_seed('reconciliation_tolerances'),
    'routing_candidates': config_seed('routing_candidates'),
    'tenant_revenue': config_seed('tenant_revenue'),
} %}

with price_book as (

    select
        count(*) as prices,
        max(verified_on) as verified_on
    from {{ ref('model_prices') }}

),

final as (

    {% for setting, setting_value, default_value, meaning in settings -%}
    select
        '{{ setting }}' as setting,
        cast('{{ setting_value }}' as {{ dbt.type_string() }}) as setting_value,
        cast({{ "'" ~ default_value ~ "'" if default_value else 'null' }} as {{ dbt.type_string() }}) as default_value,
        '{{ meaning }}' as meaning

    union all

    {% endfor -%}
    select
        'prices' as setting,
        cast(prices as {{ dbt.type_string() }}) as setting_value,
        cast(null as {{ dbt.type_string() }}) as default_value,
        'Rows of the price book.' as meaning
    from price_book

    union all

    select
        'prices_verified_on' as setting,
        verified_on as setting_value,
        cast(null as {{ dbt.type_string() }}) as default_value,
        'The last day on which one of its prices was looked up.' as meaning
    from price_book

    union all

    select
        'configuration_version' as setting,
        configuration_hash as setting_value,
        cast(null as {{ dbt.type_string() }}) as default_value,
        'A hash of the aliases, the key registry and the settings above that every attempt depends on.' as meaning
    from {{ ref('int_configuration_version') }}
    {%- for name, rows in configuration.items() %}

    union all

    select
        'rows_of_{{ name }}' as setting,
        cast(count(*) as {{ dbt.type_string() }}) as setting_value,
        cast(null as {{ dbt.type_string() }}) as default_value,
        'Rows of the configuration in {{ name }}.' as meaning
    from {{ rows }}
    {%- endfor %}

)

select * from final
