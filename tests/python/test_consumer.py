"""A dbt project of somebody else that installs the package: its own log, schemas, vars, seeds and macros."""

import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import ROOT, query

CONSUMER = ROOT / "tests" / "consumer"


@pytest.fixture(scope="module")
def shop(module_path: Path) -> Path:
    """The database of the project after `dbt deps` and `dbt build`."""
    project = shutil.copytree(CONSUMER, module_path / "shop", ignore=shutil.ignore_patterns("dbt_packages", "target"))
    (project / "packages.yml").write_text(f"packages:\n  - local: {ROOT}\n", encoding="utf-8")
    database = module_path / "shop.duckdb"
    for command in (["deps"], ["build"]):
        done = subprocess.run(
            [Path(sys.executable).with_name("dbt"), *command, "--profiles-dir", "."],
            cwd=project,
            env={**os.environ, "SHOP_DUCKDB_PATH": str(database), "DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:]
    return database


def test_the_bill_is_that_of_the_projects_own_log(shop: Path) -> None:
    """By hand, with the list prices, USD a million: gpt-4o 2.50, cached 1.25, output 10; gpt-4o-mini 0.15 and 0.60."""
    assert query(shop, "select customer, llm_cost_usd from analytics_reporting.customers order by customer") == [
        ("globex", Decimal("0.0105")),  # 0.0045 + 0.0025 (failed, tried again) + 0.0035
        ("initech", Decimal("0.01485")),  # 0.0025 + 0.00375 + 0.005 and 0.003 + 0.0006
    ]


def test_the_package_writes_into_the_schema_it_was_given_and_nowhere_else(shop: Path) -> None:
    relations = "select table_schema, table_name from information_schema.tables"
    found = query(shop, f"{relations} where table_catalog = 'shop'")
    assert {schema for schema, _ in found} == {
        "analytics",
        "analytics_files",
        "analytics_reporting",
        "analytics_llm",
        "analytics_raw",
    }
    assert [name for schema, name in found if schema == "analytics_reporting"] == ["customers"]
    assert [name for _, name in found if "demo" in name] == []
    names = [name for _, name in found]
    assert len(names) == len(set(names))


def test_macros_and_seeds_of_the_project_keep_their_meaning(shop: Path) -> None:
    assert query(shop, "select distinct clock from analytics_reporting.customers") == [("the clock of the shop",)]
    budgets = "select scope_id, amount_usd from analytics_llm.budget_status where scope_type = 'tenant'"
    assert query(shop, f"{budgets} and period = 'monthly'") == [("globex", Decimal("0.01"))]
    settings = "select setting_value from analytics_llm.package_settings where setting = 'event_source'"
    assert query(shop, settings) == [("source",)]


def test_every_row_of_the_log_is_accounted_for(shop: Path) -> None:
    columns = "raw_rows, accepted_rows, duplicate_rows, quarantined_rows, rejected_rows"
    assert query(shop, f"select {columns} from analytics_llm.spend_coverage") == [(5, 5, 0, 0, 0)]
