"""What reads the marts is declared, and it is what the code reads."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from conftest import ROOT
from llm_spend import focus

MARTS = ROOT / "models" / "marts"
CODE = ROOT / "orchestration" / "llm_spend"
READ = re.compile(r"(?:\b(?:from|join)\s+|^)(?:marts|staging|intermediate|raw)\.(\w+)")
"""In SQL, or a text that is nothing but a table's name. A message that only names a table reads none."""
READERS = {
    "llm_spend_report": "report/*.py",
    "llm_spend_weekly_review": "review.py",
    "llm_spend_alerts": "alerts/*.py",
    "llm_spend_summary": "summary.py",
    "llm_spend_explain": "explain.py",
}

DECLARED = {
    exposure["name"]: exposure
    for exposure in yaml.safe_load((ROOT / "models" / "exposures.yml").read_text(encoding="utf-8"))["exposures"]
}


def declared(name: str) -> set[str]:
    return {re.fullmatch(r"ref\('(\w+)'\)", one)[1] for one in DECLARED[name]["depends_on"]}


def tables_read(files: Iterable[Path]) -> set[str]:
    texts = (
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return {table for text in texts for table in READ.findall(text)}


@pytest.mark.parametrize("name", READERS)
def test_an_exposure_depends_on_what_its_code_reads(name: str) -> None:
    assert declared(name) == tables_read(CODE.glob(READERS[name]))


def test_the_focus_export_depends_on_its_marts() -> None:
    assert declared("llm_spend_focus_export") == set(focus.MARTS)


def test_the_published_copy_depends_on_every_mart() -> None:
    assert declared("llm_spend_published_copy") == {path.stem for path in MARTS.rglob("*.sql")}


def test_every_reader_is_declared_with_an_owner() -> None:
    assert {*DECLARED} == {*READERS, "llm_spend_focus_export", "llm_spend_published_copy"}
    assert [name for name, one in DECLARED.items() if not (one["owner"]["name"] and one["description"])] == []


def test_a_table_that_is_only_named_is_not_read(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text(
        'say("more in marts.alerts")\nask("select 1 from marts.fct_llm_attempts")\nCube("marts.dim_dates")\n'
    )
    assert tables_read([code]) == {"fct_llm_attempts", "dim_dates"}
