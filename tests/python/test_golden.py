"""Invoices worked by hand, one file each in tests/golden: loaded, built once, compared to the last digit."""

import csv
import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from conftest import ROOT, build_models, query, run_cli, write_jsonl

INVOICES: dict[str, dict[str, Any]] = {
    path.stem: yaml.safe_load(path.read_text("utf-8")) for path in sorted((ROOT / "tests" / "golden").glob("*.yml"))
}
CONFIG_SEEDS = ("price_overrides", "fx_rates", "model_aliases")


@pytest.fixture(scope="module")
def bills(module_path: Path) -> Path:
    """One database with every invoice's call in it, under the agreements of all of them."""
    database, config = module_path / "spend.duckdb", module_path / "config"
    config.mkdir()
    for seed in CONFIG_SEEDS:
        rows = {json.dumps(row, sort_keys=True): row for invoice in INVOICES.values() for row in invoice.get(seed, [])}
        write_csv(config / f"{seed}.csv", rows.values())
    for n, mapping in enumerate({json.dumps(invoice.get("mapping")): None for invoice in INVOICES.values()}):
        alike = {name: invoice for name, invoice in INVOICES.items() if json.dumps(invoice.get("mapping")) == mapping}
        log = write_jsonl(
            module_path / f"{n}.jsonl", ({"event_id": name, **bill["event"]} for name, bill in alike.items())
        )
        (module_path / f"{n}.yml").write_text(mapping.replace("null", "{fields: {}}"), encoding="utf-8")
        loaded = run_cli("load", "--events", log, "--mapping", module_path / f"{n}.yml", "--db", database)
        assert loaded.returncode == 0, loaded.stderr
    build_models(database, None, "fct_cost_components", config=config, as_of="2026-12-01 00:00:00")
    return database


def write_csv(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    columns = list({name: None for row in rows for name in row})
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize("name", INVOICES)
def test_the_bill_is_the_one_worked_by_hand(bills: Path, name: str) -> None:
    expected = INVOICES[name]["expect"]
    cost = money(expected["cost_usd"])
    found = query(
        bills, "select cost_status, cost_usd, list_cost_usd from marts.fct_llm_attempts where event_id = ?", name
    )
    assert found == [(expected["cost_status"], cost, money(expected.get("list_cost_usd", expected["cost_usd"])))]


@pytest.mark.parametrize("name", INVOICES)
def test_its_lines_are_those_worked_by_hand(bills: Path, name: str) -> None:
    expected = {usage_type: money(cost) for usage_type, cost in INVOICES[name]["expect"]["components"].items()}
    lines = query(
        bills,
        "select usage_type, quantity, unit_price, cost_usd from marts.fct_cost_components where event_id = ?",
        name,
    )
    assert {usage_type: cost for usage_type, *_, cost in lines} == expected
    assert len(lines) == len(expected)
    assert all(quantity * unit_price == cost for _, quantity, unit_price, cost in lines)
    assert sum(expected.values()) == (money(INVOICES[name]["expect"]["cost_usd"]) or 0)
    assert costs_on_the_attempt(bills, name) == by_column(expected)


TEXT = ("input", "cached_input", "cache_write", "cache_write_1h", "output", "reasoning")


def by_column(components: dict[str, Decimal]) -> dict[str, Decimal]:
    """What the columns of an attempt should hold: one for each usage type of text, one for the rest."""
    text = {usage_type: cost for usage_type, cost in components.items() if cost and usage_type in TEXT}
    other = sum(cost for usage_type, cost in components.items() if usage_type not in (*TEXT, "reported"))
    return {**text, "other": other} if other else text


def costs_on_the_attempt(bills: Path, name: str) -> dict[str, Decimal]:
    """The columns of the attempt that hold a cost."""
    names = (*TEXT, "other")
    columns = ", ".join(f"{one}_cost_usd" for one in names)
    [costs] = query(bills, f"select {columns} from marts.fct_llm_attempts where event_id = ?", name)
    return {name: cost for name, cost in zip(names, costs, strict=True) if cost}


def test_every_invoice_says_how_it_was_worked() -> None:
    """A comment above the event, and in it every cost of the bill."""
    for name, invoice in INVOICES.items():
        head = (ROOT / "tests" / "golden" / f"{name}.yml").read_text("utf-8").split("event:")[0]
        costs = [cost for cost in [invoice["expect"]["cost_usd"], *invoice["expect"]["components"].values()] if cost]
        assert head.startswith("# "), name
        assert not [cost for cost in costs if money(cost) and cost not in head], name


def money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
