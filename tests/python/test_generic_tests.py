"""Our generic data tests in both directions: rows that they must let pass, and rows that they must fail."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field

import pytest
import yaml

from conftest import ROOT

ATTEMPTS = "(1, 'acme', true, 3, 2, 2), (2, 'zeta', true, 1, 1, 1), (3, 'acme', false, 9, 9, 9)"
ENTITIES = "('total', 'total', 4, 3, 3), ('tenant', 'acme', 3, 2, 2), ('tenant', 'zeta', 1, 1, 1)"
ENTITY_COLUMNS = "entity_type, entity_id, cost_usd, requests, attempts"


@dataclass(frozen=True)
class Case:
    """A relation (column names, and a values list) and the generic test to run on it."""

    test: str
    fails: bool
    columns: str
    rows: str
    arguments: dict[str, object] = field(default_factory=dict)
    column: str | None = None


def _ranges(rows: str, *, fails: bool, inclusive: bool = False) -> Case:
    return Case(
        "non_overlapping_ranges",
        fails,
        "price_id, model_id, valid_from, valid_to, clock_from, clock_to",
        rows,
        {
            "key": "price_id",
            "partition_by": ["model_id"],
            "ranges": [
                {"from": "valid_from", "to": "valid_to", "inclusive": inclusive},
                {"from": "clock_from", "to": "clock_to"},
            ],
        },
    )


def _conserves(rows: str, *, fails: bool, **arguments: str) -> Case:
    return Case(
        "conserves_total",
        fails,
        "event_id, cost_usd, is_in_scope",
        rows,
        {"other": "ref('whole')", **arguments},
        "cost_usd",
    )


def _aliases(rows: str, *, fails: bool, **arguments: object) -> Case:
    return Case(
        "aliases_are_resolved",
        fails,
        "kind, alias, canonical_id",
        rows,
        {"canonical": "canonical_id", **arguments},
    )


def _grain(rows: str, *, fails: bool) -> Case:
    return Case("unique_grain", fails, "tenant_id, usage_day", rows, {"columns": ["tenant_id", "usage_day"]})


def _holds(rows: str, *, fails: bool) -> Case:
    return Case("expression_holds", fails, "spent, budget", rows, {"expression": "spent <= budget"})


def _entities(rows: str, *, fails: bool) -> Case:
    return Case("every_entity_type_conserves_cost", fails, ENTITY_COLUMNS, rows, {"other": "ref('whole')"})


CASES = {
    "grain_differs_in_one_column": _grain("('acme', 1), ('acme', 2), ('zeta', 1)", fails=False),
    "grain_twice": _grain("('acme', 1), ('acme', 2), ('acme', 1)", fails=True),
    "grain_twice_with_null": _grain("(null, 1), ('acme', 1), (null, 1)", fails=True),
    "total_kept": _conserves("(1, 4, true), (2, 9, false)", fails=False),
    "total_kept_in_scope": _conserves(
        "(1, 4, true), (2, 5, false)", fails=False, where="is_in_scope", other_where="is_in_scope"
    ),
    "total_kept_under_another_name": _conserves("(1, 12, true)", fails=False, other_column="attempts"),
    "total_of_nothing": _conserves("(1, null, true)", fails=False, other_where="1 = 0"),
    "total_misses_a_row": _conserves("(1, 4, true)", fails=True),
    "total_counts_twice": _conserves("(1, 4, true), (2, 9, false), (2, 9, false)", fails=True),
    "total_off_by_the_last_digit": _conserves("(1, 13.000000000001, true)", fails=True),
    "total_lost_altogether": _conserves("(1, null, true)", fails=True),
    "ranges_that_touch": _ranges("('a', 'm', 1, 5, 0, 10), ('b', 'm', 5, 9, 0, 10)", fails=False),
    "ranges_apart_in_one_dimension": _ranges("('a', 'm', 1, 9, 0, 5), ('b', 'm', 1, 9, 5, 10)", fails=False),
    "ranges_of_two_models": _ranges("('a', 'm', 1, 9, 0, 10), ('b', 'n', 1, 9, 0, 10)", fails=False),
    "ranges_that_overlap": _ranges("('a', 'm', 1, 6, 0, 10), ('b', 'm', 5, 9, 0, 10)", fails=True),
    "range_inside_another": _ranges("('a', 'm', 1, 9, 0, 10), ('b', 'm', 3, 4, 2, 3)", fails=True),
    "inclusive_ranges_apart": _ranges("('a', 'm', 1, 4, 0, 10), ('b', 'm', 5, 9, 0, 10)", fails=False, inclusive=True),
    "inclusive_ranges_that_touch": _ranges(
        "('a', 'm', 1, 5, 0, 10), ('b', 'm', 5, 9, 0, 10)", fails=True, inclusive=True
    ),
    "expression_true": _holds("(1, 2), (2, 2)", fails=False),
    "expression_false_once": _holds("(1, 2), (3, 2)", fails=True),
    "expression_unknown_once": _holds("(1, 2), (null, 2)", fails=True),
    "every_type_is_the_whole": _entities(ENTITIES, fails=False),
    "no_type_at_all": _entities(f"{ENTITIES} limit 0", fails=True),
    "type_misses_dollars": _entities(ENTITIES.replace("'zeta', 1,", "'zeta', 0,"), fails=True),
    "type_misses_requests": _entities(ENTITIES.replace("'acme', 3, 2,", "'acme', 3, 1,"), fails=True),
    "type_counts_an_attempt_twice": _entities(ENTITIES.replace("4, 3, 3)", "4, 3, 4)"), fails=True),
    "aliases_of_one_name": _aliases("('tenant', 'a', 'c'), ('tenant', 'b', 'c')", fails=False),
    "alias_of_itself": _aliases("('tenant', 'a', 'c'), ('tenant', 'c', 'c')", fails=False),
    "aliases_that_chain": _aliases("('tenant', 'a', 'b'), ('tenant', 'b', 'c')", fails=True),
    "chain_over_two_kinds": _aliases("('tenant', 'a', 'b'), ('user', 'b', 'c')", fails=False, within=["kind"]),
    "chain_within_one_kind": _aliases("('user', 'a', 'b'), ('user', 'b', 'c')", fails=True, within=["kind"]),
}


def _properties(name: str, case: Case) -> dict[str, object]:
    data_tests = [{case.test: {"name": f"{name}_result", "arguments": case.arguments}}]
    if case.column:
        return {"name": name, "columns": [{"name": case.column, "data_tests": data_tests}]}
    return {"name": name, "data_tests": data_tests}


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Status of each case's test, from one dbt build of a scratch project that shares only our macros."""
    project = tmp_path_factory.mktemp("generic_tests")
    models = project / "models"
    models.mkdir()
    relations = {name: (case.columns, case.rows) for name, case in CASES.items()}
    relations["whole"] = ("event_id, tenant_id, is_in_scope, cost_usd, requests, attempts", ATTEMPTS)
    for name, (columns, rows) in relations.items():
        (models / f"{name}.sql").write_text(f"select * from (values {rows}) as given ({columns})\n")
    properties = {"models": [_properties(name, case) for name, case in CASES.items()]}
    (models / "properties.yml").write_text(yaml.safe_dump(properties))
    settings = {
        "name": "scratch",
        "version": "0.1.0",
        "profile": "scratch",
        "macro-paths": [os.path.relpath(ROOT / "macros", project)],
    }
    (project / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    output = {"type": "duckdb", "path": str(project / "scratch.duckdb"), "threads": 2}
    profile = {"scratch": {"target": "duckdb", "outputs": {"duckdb": output}}}
    (project / "profiles.yml").write_text(yaml.safe_dump(profile))

    places = ["--project-dir", ".", "--profiles-dir", ".", "--target-path", "target", "--log-path", "logs"]
    run = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "build", *places],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )
    results_file = project / "target" / "run_results.json"
    assert results_file.exists(), run.stdout + run.stderr
    results = json.loads(results_file.read_text())["results"]
    return {result["unique_id"].split(".")[2]: result["status"] for result in results}


@pytest.mark.parametrize("name", CASES)
def test_generic_test_tells_good_rows_from_bad(name: str, verdicts: dict[str, str]) -> None:
    assert verdicts[f"{name}_result"] == ("fail" if CASES[name].fails else "pass")


def test_every_generic_test_is_driven_in_both_directions() -> None:
    ours = {path.stem for path in (ROOT / "macros" / "tests").glob("*.sql")}
    assert {(case.test, case.fails) for case in CASES.values()} == {
        (name, fails) for name in ours for fails in (False, True)
    }
