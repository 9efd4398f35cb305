"""The demo's budgets: the one that is nearly spent, the one of all traffic, and the hourly one of a contract."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from conftest import query


def test_the_budget_nearly_spent_warns_at_its_labelled_size(demo: Path) -> None:
    ((agent, day, size),) = query(
        demo,
        """
        select entity_id, starts_at::timestamp::date, expected_value from raw.demo_planted_incidents
        where incident_id = 'budget_nearly_spent'
        """,
    )
    ((spent, amount, share, reached, following, status),) = query(
        demo,
        """
        select spent_usd, amount_usd, spent_share_ratio, reached_ratio, next_ratio, status from marts.budget_status
        where scope_type = 'agent' and scope_id = ? and period = 'daily' and period_start_date = ?
        """,
        agent,
        day,
    )
    assert (agent, day, status) == ("support_bot_v2", date(2026, 10, 5), "warning")
    assert (f"{spent:.2f}", amount) == (size, 50) == ("47.32", 50)
    # 47.32 ÷ 50
    assert round(share, 4) == 0.9464
    assert (reached, following) == (Decimal("0.9"), Decimal("0.95"))


def test_a_budget_of_all_traffic_is_in_scope_and_the_rest(demo: Path) -> None:
    ((october, of_all),) = query(
        demo,
        """
        select sum(spent_usd) filter (traffic = 'in_scope'), sum(spent_usd) filter (traffic = 'all')
        from marts.budget_status
        where scope_type = 'total' and period = 'monthly' and period_start_date = '2026-10-01'
        """,
    )
    ((rest,),) = query(demo, "select sum(cost_usd) from marts.out_of_scope_spend where usage_date >= '2026-10-01'")
    assert rest > 0
    assert of_all == october + rest


def test_a_key_cap_counts_what_its_provider_bills(demo: Path) -> None:
    """The key of staging has no call in scope, and still a cap."""
    ((spent,),) = query(
        demo,
        """
        select spent_usd from marts.budget_status
        where scope_type = 'api_key' and scope_id = 'key_staging' and period_start_date = '2026-10-01'
        """,
    )
    ((billed,),) = query(
        demo,
        """
        select sum(cost_usd) from marts.fct_llm_attempts
        where api_key_id = 'key_staging' and usage_date >= '2026-10-01'
        """,
    )
    assert spent == billed > 0


def test_the_contracted_hours_over_budget_are_those_of_the_loop(demo: Path) -> None:
    over = query(
        demo,
        """
        select period_start from marts.budget_status
        where scope_id = 'vantage-freight' and period = 'hourly' and status = 'exceeded' order by period_start
        """,
    )
    assert over == [(datetime(2026, 9, 29, hour),) for hour in range(1, 5)]
    alerts = query(
        demo,
        """
        select rule_id, period_type, baseline_value, owner, evidence ->> '$.top_tenant', evidence ->> '$.top_agent'
        from marts.alerts where entity_id = 'vantage-freight' and rule_id = 'tenant_hourly_budget'
        """,
    )
    assert alerts == [
        (
            "tenant_hourly_budget",
            "hourly, contracted",
            1.0,
            "success@acme.example",
            "vantage-freight",
            "research_agent_v1",
        )
    ]
