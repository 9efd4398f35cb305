"""What tenants pay and cost: the demo's planted loss, each share worked again in fractions, and a user's own files."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from conftest import build_models, query, write_jsonl

MEASURES = {
    "by_cost": "sum(cost_usd)",
    "by_tokens": "sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0))",
    "by_requests": "count(*) filter (where is_first_attempt)",
    "even": "1",
}


def shares(amount: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Each weight's part of the amount, half-up to nine decimals; the largest has what rounding leaves."""
    total = sum(map(Fraction, weights.values()))
    exact = {tenant: Fraction(amount) * Fraction(weight) / total for tenant, weight in weights.items()}
    rounded = {
        tenant: (Decimal(part.numerator) / Decimal(part.denominator)).quantize(Decimal("1e-9"), ROUND_HALF_UP)
        for tenant, part in exact.items()
    }
    largest = min(weights, key=lambda tenant: (-weights[tenant], tenant))
    rounded[largest] += amount - sum(rounded.values())
    return rounded


def test_the_planted_tenant_drains_and_no_other(demo: Path) -> None:
    ((tenant, pays),) = query(
        demo,
        "select entity_id, expected_value from raw.demo_planted_incidents where incident_id = 'unprofitable_tenant'",
    )
    draining = query(
        demo,
        """
        select usage_month, tenant_id, revenue_usd, quadrant, round(cost_usd) from marts.tenant_margin
        where quadrant like '%draining' order by usage_month
        """,
    )
    assert [row[:4] for row in draining] == [
        (date(2026, 9, 1), tenant, Decimal(pays), "steady_draining"),
        (date(2026, 10, 1), tenant, Decimal(pays), "steady_draining"),
    ]
    assert draining[1][4] == 70


def test_every_share_of_the_demo_is_the_one_worked_in_fractions(demo: Path) -> None:
    found: dict[tuple, dict[str, Decimal]] = defaultdict(dict)
    columns = "usage_month, charge_id, provider, allocation_method, amount_usd, tenant_id, allocated_usd"
    for *amount, tenant, allocated in query(demo, f"select {columns} from marts.allocated_spend"):
        found[tuple(amount)][tenant] = allocated
    assert {method for _, _, _, method, _ in found} >= {"by_cost", "by_requests", "even", "direct", "none"}
    for (month, charge, provider, method, amount), allocated in found.items():
        if method == "none":
            assert allocated == {"(unattributed)": amount}
        elif method == "direct":
            assert allocated == {"enterprise-alpha": amount}
        else:
            weights = query(
                demo,
                f"""
                select tenant_id, {MEASURES[method]} as weight from marts.fct_llm_attempts
                where is_in_scope and date_trunc('month', usage_date) = $1 and coalesce(provider = $2, $2 is null)
                    and tenant_id != '(unattributed)'
                group by tenant_id having weight > 0
                """,
                month,
                provider,
            )
            assert allocated == shares(amount, dict(weights)), charge


@pytest.mark.slow
def test_the_users_own_files_make_the_margin(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    files = {
        "fx_rates.csv": "currency,valid_from,usd_per_unit,source\nEUR,2026-01-01,1.25,bank\nEUR,2026-10-02,2,bank\n",
        "identity_aliases.csv": "identity_type,alias,canonical_id\ntenant,acme-eu,acme\n",
        "tenant_revenue.csv": "tenant_id,month,revenue_usd,currency\nacme-eu,2026-10,1,EUR\nquiet,2026-10-01,5,\n",
        "allocation_methods.csv": "provider,allocation_method\n,by_cost\n",
        "fixed_charges.csv": (
            "charge_id,charge_type,amount_usd,valid_from,valid_to,allocation_method\n"
            "seats,seats,9,2026-09-21,2026-10-11,even\n"
        ),
    }
    for name, text in files.items():
        (config / name).write_text(text)
    # each call costs 1000 × 0.0000025 + 100 × 0.00001 = 0.0035
    call = {"provider": "openai", "model": "gpt-4o", "input_tokens": 1000, "output_tokens": 100}
    tenants = ["acme", "acme-eu", "zeta", None]
    log = write_jsonl(
        tmp_path / "log.jsonl",
        [{**call, "started_at": f"2026-10-01T0{hour}:00:00Z", "tenant_id": t} for hour, t in enumerate(tenants)],
    )
    database = tmp_path / "spend.duckdb"
    build_models(database, log, "tenant_margin", config=config)
    columns = "revenue_usd, cost_usd, allocated_unattributed_usd, allocated_charges_usd, margin_usd, quadrant"
    rows = query(
        database,
        f"select tenant_id, {columns} from marts.tenant_margin where usage_month = '2026-10-01' order by tenant_id",
    )
    usd = Decimal
    assert rows == [
        ("(unattributed)", None, usd("0.0035"), usd("-0.0035"), 0, None, "unknown_revenue"),
        # 1 EUR on 1 October; two thirds of 0.0035; half of the ten of twenty days that are October's, 4.5
        ("acme", usd("1.25"), usd("0.007"), usd("0.002333333"), usd("2.25"), usd("-1.009333333"), "new_draining"),
        ("quiet", usd(5), 0, 0, 0, usd(5), "new_profitable"),
        ("zeta", None, usd("0.0035"), usd("0.001166667"), usd("2.25"), None, "unknown_revenue"),
    ]
