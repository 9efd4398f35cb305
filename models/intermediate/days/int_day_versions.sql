-- What a day's numbers are made of, as three short hashes: its raw rows, the prices of its models, and the
-- configuration. The attempts carry it; a day whose version differs from theirs is computed again. Rows from the
-- future wait for their day.

with logged as (

    select * from {{ ref('int_logged_models') }}

),

raw_rows as (

    select
        usage_date_utc,
        {{ sum_count('raw_rows') }} as raw_rows,
        max(last_loaded_at) as last_loaded_at
    from logged
    group by usage_date_utc

),

{% if calls_may_repeat() -%}
-- Of a call around midnight one log may have the day before, another the day after.
raw_rows_around as (

    select
        raw_rows.usage_date_utc as usage_date_utc,
        {{ sum_count('neighbours.raw_rows') }} as raw_rows,
        max(neighbours.last_loaded_at) as last_loaded_at
    from raw_rows
    inner join raw_rows as neighbours
        on neighbours.usage_date_utc between {{ add_days('raw_rows.usage_date_utc', -1) }}
        and {{ add_days('raw_rows.usage_date_utc', 1) }}
    group by raw_rows.usage_date_utc

),

{% endif -%}
day_prices as (

    select distinct
        logged.usage_date_utc,
        cards.price_id
    from logged
    inner join {{ ref('int_rate_cards_referenced') }} as cards
        on logged.provider = cards.provider
        and logged.model = cards.model
        and logged.service_tier = cards.service_tier
        and logged.speed = cards.speed
        and logged.region = cards.region
        and logged.usage_date_utc >= cards.valid_from
        and logged.usage_date_utc < cards.valid_to

),

prices as (

    select
        usage_date_utc,
        {{ sorted_list('price_id', "','") }} as price_ids
    from day_prices
    group by usage_date_utc

),

versioned as (

    select
        raw_rows.usage_date_utc as usage_date_utc,
        {{ key_hash((['around.raw_rows', 'around.last_loaded_at'] if calls_may_repeat() else []) + [
            'raw_rows.raw_rows',
            'raw_rows.last_loaded_at',
            "case when raw_rows.usage_date_utc > " ~ as_of_date_utc() ~ " then '" ~ as_of_text() ~ "' end",
        ]) }} as rows_hash,
        {{ key_hash(['prices.price_ids']) }} as prices_hash,
        configured.configuration_hash
    from raw_rows
    cross join {{ ref('int_configuration_version') }} as configured
    left join prices
        on raw_rows.usage_date_utc = prices.usage_date_utc
    {%- if calls_may_repeat() %}
    inner join raw_rows_around as around
        on raw_rows.usage_date_utc = around.usage_date_utc
    {%- endif %}

),

final as (

    select
        usage_date_utc,
        {{ dbt.concat([
            'substring(rows_hash, 1, 12)',
            "'-'",
            'substring(prices_hash, 1, 12)',
            "'-'",
            'substring(configuration_hash, 1, 12)',
        ]) }} as day_version
    from versioned

)

select * from final
