-- Why the bill changed. Cost is requests times attempts per request times cost per attempt, and that is a mix of
-- models, each with quantities and unit prices. The change of a product is split at the midpoint, change of a times
-- mean b plus mean a times change of b: the parts add up to the change, and swapping the periods turns every sign.

{% set groupings = dict({'total': "'total'"}, **entity_columns()) %}
{% set drivers = {
    'volume': 'volume', 'retries': 'retries', 'model_mix': 'weight * model_mix', 'quantities': 'weight * quantities',
    'unit_price': 'weight * unit_price', 'new': 'new_spend', 'gone': 'gone_spend',
} %}
{% set usage_types = ['input', 'cached_input', 'cache_writes', 'output'] %}
{% set period = 'period_type, period_start, entity_type, entity_id' %}
{% set sides = ['before', 'after'] %}
{% set measures = ['requests', 'attempts', 'cost_usd'] %}
{% for type in usage_types %}{% do measures.extend([type ~ '_quantity', type ~ '_cost_usd']) %}{% endfor %}

-- Of each usage type: the change of its quantity at the mean price, and the change of its price at the mean quantity. A
-- price that only one side tells holds for both.
{% set quantity_term = '(<type>_usage_after - <type>_usage_before) * 0.5 * ('
    ~ 'coalesce(<type>_price_before, <type>_price_after, 0) + coalesce(<type>_price_after, <type>_price_before, 0))' %}
{% set price_term = '(<type>_usage_before + <type>_usage_after) * 0.5'
    ~ ' * coalesce(<type>_price_after - <type>_price_before, 0)' %}
{% set quantity_terms, price_terms = ['other_usage_after - other_usage_before'], [] %}
{% for type in usage_types %}{% do quantity_terms.append(quantity_term.replace('<type>', type)) %}{% endfor %}
{% for type in usage_types %}{% do price_terms.append(price_term.replace('<type>', type)) %}{% endfor %}

with spend as (

    select
        *,
        input_tokens - cached_input_tokens - cache_write_tokens as input_quantity,
        cached_input_tokens as cached_input_quantity,
        cache_write_tokens as cache_writes_quantity,
        output_tokens as output_quantity
    from {{ ref('fct_daily_spend') }}
    where
        is_in_scope
        and {{ since_days_ago('usage_date', 2 * 366) }}

),

entities as (

    {% for entity_type, column in groupings.items() -%}
    select
        '{{ entity_type }}' as entity_type,
        {{ column }} as entity_id,
        usage_date,
        model as used_model,
        sum(requests) as requests,
        sum(attempts) as attempts,
        {% for type in usage_types -%}
        sum({{ type }}_quantity) as {{ type }}_quantity,
        sum({{ type }}_cost_usd) as {{ type }}_cost_usd,
        {% endfor -%}
        sum(cost_usd) as cost_usd
    from spend
    group by {{ column ~ ', ' if entity_type != 'total' }}usage_date{{ ', model' if entity_type != 'model' }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

by_model as (

    select
        periods.period_type as period_type,
        periods.period_start as period_start,
        entities.entity_type as entity_type,
        entities.entity_id as entity_id,
        {%- for measure in measures %}
        sum(case when periods.side = 'before' then entities.{{ measure }} else 0 end) as {{ measure }}_before,
        sum(case when periods.side = 'after' then entities.{{ measure }} else 0 end) as {{ measure }}_after,
        {%- endfor %}
        entities.used_model as used_model
    from entities
    inner join {{ ref('int_periods_compared') }} as periods
        on entities.usage_date = periods.usage_date
    group by
        periods.period_type, periods.period_start, entities.entity_type, entities.entity_id, entities.used_model

),

-- What is no usage type of its own counts as a quantity at one dollar each.
shared as (

    select
        {%- for side in sides %}
        {{ ratio(
            'attempts_' ~ side, 'sum(attempts_' ~ side ~ ') over (partition by ' ~ period ~ ')'
        ) }} as share_{{ side }},
        {{ ratio('cost_usd_' ~ side, 'attempts_' ~ side) }} as cost_per_attempt_{{ side }},
        {{ ratio(
            'cost_usd_' ~ side ~ ' - ' ~ usage_types | join('_cost_usd_' ~ side ~ ' - ') ~ '_cost_usd_' ~ side,
            'attempts_' ~ side
        ) }} as other_usage_{{ side }},
        {%- for type in usage_types %}
        {{ ratio(type ~ '_quantity_' ~ side, 'attempts_' ~ side) }} as {{ type }}_usage_{{ side }},
        {{ ratio(type ~ '_cost_usd_' ~ side, type ~ '_quantity_' ~ side) }} as {{ type }}_price_{{ side }},
        {%- endfor %}
        {%- endfor %}
        by_model.*
    from by_model

),

mixed as (

    select
        *,
        (coalesce(share_after, 0) - coalesce(share_before, 0)) * 0.5 * (
            coalesce(cost_per_attempt_before, cost_per_attempt_after)
            + coalesce(cost_per_attempt_after, cost_per_attempt_before)
        ) as model_mix,
        case
            when attempts_before > 0 and attempts_after > 0
                then 0.5 * (share_before + share_after) * ({{ quantity_terms | join(' + ') }})
            else 0
        end as quantities,
        case
            when attempts_before > 0 and attempts_after > 0
                then 0.5 * (share_before + share_after) * ({{ price_terms | join(' + ') }})
            else 0
        end as unit_price
    from shared

),

added_up as (

    select
        {{ period }},
        {%- for side in sides %}
        {{ sum_count('attempts_' ~ side) }} as attempts_{{ side }},
        {{ sum_count('requests_' ~ side) }} as requests_{{ side }},
        {{ sum_money('cost_usd_' ~ side) }} as cost_usd_{{ side }},
        {%- endfor %}
        sum(model_mix) as model_mix,
        sum(quantities) as quantities,
        sum(unit_price) as unit_price
    from mixed
    group by {{ period }}

),

-- Attempts of requests that all began before the period are volume too.
begun as (

    select
        *,
        case when requests_before > 0 then requests_before else attempts_before end as volume_before,
        case when requests_after > 0 then requests_after else attempts_after end as volume_after
    from added_up

),

per_request as (

    select
        *,
        {{ ratio('cost_usd_before', 'attempts_before') }} as cost_per_attempt_before,
        {{ ratio('cost_usd_after', 'attempts_after') }} as cost_per_attempt_after,
        {{ ratio('attempts_before', 'volume_before') }} as attempts_per_request_before,
        {{ ratio('attempts_after', 'volume_after') }} as attempts_per_request_after
    from begun

),

weighed as (

    select
        {{ period }},
        cost_usd_before,
        cost_usd_after,
        cost_usd_after - cost_usd_before as cost_change_usd,
        attempts_before > 0 and attempts_after > 0 as is_on_both_sides,
        (volume_after - volume_before) * 0.5 * (
            attempts_per_request_before * cost_per_attempt_before
            + attempts_per_request_after * cost_per_attempt_after
        ) as volume,
        0.5 * (volume_before + volume_after) * (attempts_per_request_after - attempts_per_request_before)
        * 0.5 * (cost_per_attempt_before + cost_per_attempt_after) as retries,
        0.25 * (volume_before + volume_after) * (attempts_per_request_before + attempts_per_request_after) as weight,
        model_mix,
        quantities,
        unit_price,
        case when attempts_before = 0 then cost_usd_after end as new_spend,
        case when attempts_after = 0 then -cost_usd_before end as gone_spend
    from per_request

),

listed as (

    {% for driver, change in drivers.items() -%}
    select
        {{ period }},
        cost_usd_before,
        cost_usd_after,
        cost_change_usd as total_change_usd,
        '{{ driver }}' as driver,
        {{ loop.index }} as driver_order,
        abs(cast({{ change }} as {{ type_ratio() }})) as size,
        {{ money(change) if driver in ['new', 'gone'] else derived_usd(change) }} as cost_change_usd
    from weighed
    where {{ change ~ ' is not null' if driver in ['new', 'gone'] else 'is_on_both_sides' }}
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

-- What rounding to nine decimals leaves goes to the largest driver: the drivers add up to the change exactly.
residues as (

    select
        *,
        total_change_usd - sum(cost_change_usd) over (partition by {{ period }}) as residue_usd,
        row_number() over (
            partition by {{ period }} order by abs(cost_change_usd) desc, size desc, driver_order asc
        ) as size_rank
    from listed

),

settled as (

    select
        *,
        {{ money('cost_change_usd + case when size_rank = 1 then residue_usd else 0 end') }} as settled_change_usd
    from residues

),

final as (

    select
        period_type,
        period_start,
        entity_type,
        entity_id,
        driver,
        settled_change_usd as cost_change_usd,
        total_change_usd,
        cost_usd_before,
        cost_usd_after
    from settled
    where settled_change_usd != 0

)

select * from final
