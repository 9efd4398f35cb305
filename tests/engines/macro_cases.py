"""Asks an engine each condition of macro_cases.sql."""

import json
from collections.abc import Callable
from pathlib import Path

from servers import Engine

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(__file__).with_name("macro_cases.sql")
SEPARATOR = "\n-- next\n"

WITHOUT_A_VALUE = {"session_settings", "load_csv_rows", "shared_step"}
"""Macros that are no expressions; every build uses them."""


def compiled_cases(compiled: Callable[[str], str]) -> tuple[list[str], list[str]]:
    """Every condition as an engine would be asked it, and the macros that have none.

    `compiled` makes SQL of SQL with macros in it.
    """
    lines = [line for line in CASES.read_text(encoding="utf-8").splitlines() if line]
    conditions = [line for line in lines if not line.startswith("--")]
    headed = {
        name
        for line in lines
        if line.startswith("-- ")
        for name in line.removeprefix("-- ").partition(":")[0].split(", ")
    }
    macros = {path.stem for path in (ROOT / "macros" / "cross_db").glob("*.sql")}
    without = [f"macros/cross_db/{name}.sql has no case" for name in sorted(macros - headed - WITHOUT_A_VALUE)]
    # all in one compilation, for each takes seconds
    return compiled(SEPARATOR.join(conditions)).split(SEPARATOR), without


def wrong_cases(engine: Engine, compiled: Callable[[str], str]) -> tuple[int, list[str]]:
    """How many conditions there are, and those that do not hold, as the engine was asked them.

    `compiled` gives dbt's json for SQL with macros in it.
    """
    conditions, wrong = compiled_cases(lambda sql: json.loads(compiled(sql))["compiled"])
    for condition in conditions:
        _, ((holds,),) = engine.query(f"select case when {condition} then 1 else 0 end as holds")
        if holds != 1:
            wrong.append(" ".join(condition.split()))
    return len(conditions), wrong
