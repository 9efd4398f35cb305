"""The demo's planted incidents in the marts of efficiency, releases and change, each at its labelled size."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import query


def planted(demo: Path, incident: str) -> dict[str, object]:
    columns = ("entity_id", "starts_at", "ends_at", "expected_value")
    ((entity, starts, ends, value),) = query(
        demo, f"select {', '.join(columns)} from raw.demo_planted_incidents where incident_id = ?", incident
    )
    return {
        "entity": entity,
        "from": datetime.fromisoformat(starts).date(),
        "to": datetime.fromisoformat(ends).date(),
        "value": float(value),
    }


def test_hidden_retries_of_one_tenant_are_all_found_and_no_others(demo: Path) -> None:
    incident = planted(demo, "new_id_per_retry")
    found = query(
        demo,
        """
        select entity_id, sum(hidden_retries), min(usage_date), max(usage_date) from marts.retry_multipliers
        where entity_type = 'tenant' and hidden_retries > 0 group by entity_id
        """,
    )
    ((tenant, hidden, first, last),) = found
    assert (tenant, hidden) == (incident["entity"], incident["value"])
    assert incident["from"] <= first <= last < incident["to"]


def test_the_lost_cache_shows_on_its_first_day_and_misses_what_it_saved_before(demo: Path) -> None:
    incident = planted(demo, "cache_loss")
    days = query(
        demo,
        """
        select usage_date, sum(cached_input_tokens), sum(cache_savings_usd), sum(missed_savings_usd)
        from marts.cache_efficiency where endpoint_tag = ? group by usage_date order by usage_date
        """,
        incident["entity"],
    )
    before = [day for day in days if day[0] < incident["from"]]
    after = [day for day in days if day[0] >= incident["from"]]
    assert {cached for _, cached, _, _ in after} == {incident["value"]}
    assert all(missed > 0 for _, _, _, missed in after)
    assert sum(saved for _, _, saved, _ in before) > 0 > sum(saved for _, _, saved, _ in after)


def test_the_routing_that_changed_under_one_version_is_found_within_a_day(demo: Path) -> None:
    incident = planted(demo, "silent_switch")
    ((version, changed_on, before, after, cheap, dear),) = query(
        demo,
        """
        select prompt_version, changed_on, main_model_before, main_model_after,
            cost_per_attempt_before_usd, cost_per_attempt_after_usd
        from marts.silent_model_changes where endpoint_tag = ?
        """,
        incident["entity"],
    )
    assert (version, before, after) == ("classifier_v2", "gpt-4o-mini", "gpt-4o")
    assert 0 <= (changed_on - incident["from"]).days <= 1
    assert dear > 5 * cheap
    ((attempts,),) = query(
        demo,
        """
        select sum(attempts) from marts.fct_daily_spend
        where is_in_scope and endpoint_tag = ? and model = 'gpt-4o' and usage_date >= ? and input_tokens > 0
        """,
        incident["entity"], incident["from"],
    )  # fmt: skip
    assert attempts >= incident["value"]


def test_the_runaway_run_is_the_dearest_of_its_week(demo: Path) -> None:
    incident = planted(demo, "runaway_loop")
    ((requests, cost, tenant),) = query(
        demo, "select requests, cost_usd, tenant_id from marts.fct_workflow_runs where run_id = ?", incident["entity"]
    )
    assert (requests, round(cost, 2), tenant) == (incident["value"], Decimal("74.48"), "vantage-freight")
    ((week, median, p99),) = query(
        demo,
        """
        select week_start_date, p50_run_cost_usd, p99_run_cost_usd from marts.workflow_run_costs
        where dearest_run_id = ?
        """,
        incident["entity"],
    )
    assert week == date(2026, 9, 28)
    assert cost > 20 * median
    assert p99 <= cost


def test_who_owns_which_share_of_the_bill(demo: Path) -> None:
    shares = query(
        demo,
        """
        select share_of_provider_ratio from marts.entity_monthly_spend
        where entity_type = 'endpoint' and entity_id = 'checkout.summary' and provider = 'openai'
            and usage_month = '2026-09-01'
        """,
    )
    assert shares[0][0] == pytest.approx(0.31, abs=0.005)
    ((tenant, share),) = query(
        demo,
        """
        select tenant_id, sum(cost_usd) / (select sum(cost_usd) from marts.fct_daily_spend where is_in_scope)
        from marts.tenant_daily_spend group by tenant_id order by sum(cost_usd) desc limit 1
        """,
    )
    assert tenant == "enterprise-alpha"
    assert 0.2 < share < 0.3


def test_the_longer_prompt_drives_its_endpoints_change(demo: Path) -> None:
    """The token counts grew by a fifth on the same model: quantities, not mix and not price, in the week after."""
    changes = dict(
        query(
            demo,
            """
            select driver, cost_change_usd from marts.spend_change_drivers
            where period_type = 'week' and period_start = '2026-10-05' and entity_type = 'endpoint'
                and entity_id = 'checkout.summary'
            """,
        )
    )
    assert changes["quantities"] > 5
    assert changes.get("model_mix", 0) == 0
    assert abs(changes.get("unit_price", 0)) < Decimal("0.000001")


def test_the_switched_model_drives_its_endpoints_change(demo: Path) -> None:
    changes = dict(
        query(
            demo,
            """
            select driver, cost_change_usd from marts.spend_change_drivers
            where period_type = 'day' and period_start = '2026-09-25' and entity_type = 'endpoint'
                and entity_id = 'ticket.classify'
            """,
        )
    )
    assert max(changes, key=lambda driver: abs(changes[driver])) == "model_mix"
