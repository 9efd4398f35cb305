"""What every mart has and what its columns are called, and no exception without a reason."""

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MARTS = ROOT / "models" / "marts"
EXCEPTIONS = ROOT / "tests" / "data" / "convention_exceptions.csv"

TYPES = {
    r"_usd$": "decimal(28, 12)",
    r"unit_price$": "decimal(17, 12)",
    r"_tokens$": "bigint",
    r"_at$": "timestamp",
    r"_date(_utc)?$": "date",
    r"^(is|has)_": "boolean",
    r"_(ratio|percent)$": "double precision",
    r"_id$": "text",
}
"""What a column's name promises."""

DECLARED = re.compile(r"ref\('stg_(?!config__|prices__)\w+'\)")
"""A mart may read what a user declared and what the price book says, never a staged log."""

Mart = tuple[str, dict, str]


def marts() -> Iterator[Mart]:
    """Name, properties and SQL of each."""
    for path in sorted(MARTS.rglob("*.sql")):
        (model,) = yaml.safe_load(path.with_suffix(".yml").read_text(encoding="utf-8"))["models"]
        yield path.stem, model, path.read_text(encoding="utf-8")


def names_of_tests(node: dict) -> list[str]:
    return [test if isinstance(test, str) else next(iter(test)) for test in node.get("data_tests", [])]


def all_tests(model: dict) -> list[str]:
    return names_of_tests(model) + [name for column in model["columns"] for name in names_of_tests(column)]


def lacks_contract(_name: str, model: dict, _sql: str) -> list[str]:
    return [column["name"] for column in model["columns"] if not (column.get("data_type") and column["description"])]


def lacks_primary_key(_name: str, model: dict, _sql: str) -> list[str]:
    return [] if {"unique_grain", "unique"} & set(all_tests(model)) else [""]


def lacks_grain(_name: str, model: dict, _sql: str) -> list[str]:
    return [] if model["description"].startswith("One row per ") else [""]


def lacks_conservation(_name: str, model: dict, _sql: str) -> list[str]:
    return [] if any("conserve" in name for name in all_tests(model)) else [""]


def reads_staged_logs(_name: str, _model: dict, sql: str) -> list[str]:
    return DECLARED.findall(sql)


def has_another_type(_name: str, model: dict, _sql: str) -> list[str]:
    return [
        column["name"]
        for column in model["columns"]
        for form, wanted in TYPES.items()
        if re.search(form, column["name"]) and column["data_type"] != wanted
    ]


def has_long_names(name: str, model: dict, _sql: str) -> list[str]:
    return [long for long in (name, *(column["name"] for column in model["columns"])) if len(long) > 40]


CONVENTIONS: dict[str, Callable[[str, dict, str], list[str]]] = {
    "contract": lacks_contract,
    "primary_key": lacks_primary_key,
    "grain": lacks_grain,
    "conservation": lacks_conservation,
    "staging": reads_staged_logs,
    "type": has_another_type,
    "length": has_long_names,
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_mart_keeps_it_or_says_why_not(convention: str) -> None:
    with EXCEPTIONS.open(encoding="utf-8", newline="") as file:
        excepted = {(row["model"], row["item"]): row["reason"] for row in csv.DictReader(file) if
                    row["convention"] == convention}  # fmt: skip
    found = {(name, item) for name, model, sql in marts() for item in CONVENTIONS[convention](name, model, sql)}
    assert found == excepted.keys()
    assert all(excepted.values())


def test_each_test_that_an_exception_names_is_there() -> None:
    named = re.findall(r"tests/dbt/\w+\.sql", EXCEPTIONS.read_text(encoding="utf-8"))
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []


def test_every_mart_has_an_enforced_contract_and_an_owner() -> None:
    config = yaml.safe_load((ROOT / "dbt_project.yml").read_text(encoding="utf-8"))["models"]["llm_spend"]["marts"]
    assert "target.type != 'spark'" in config["+contract"]["enforced"]
    assert config["+meta"]["owner"]


BROKEN = {
    "name": "broken",
    "description": "Rows of spend.",
    "columns": [{"name": "cost_usd", "data_type": "double precision", "description": ""}],
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_mart_that_breaks_it_is_found(convention: str) -> None:
    sql = "select * from {{ ref('stg_otel__spans') }}"
    assert CONVENTIONS[convention]("a_name_of_more_than_forty_characters_is_too_long", BROKEN, sql)
