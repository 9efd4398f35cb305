"""The questions of docs/bi.md have answers on the demo, and what YAML files describe is described in the warehouse."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, query
from llm_spend.publish import publish

PAGE = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")
QUESTIONS = dict(re.findall(r"\n([^\n`|]+\?)\n\n```sql\n(select\s.*?)```", PAGE, re.DOTALL))
DOC_BLOCKS = {
    name: text
    for path in (ROOT / "models").rglob("*.md")
    for name, text in re.findall(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", path.read_text(encoding="utf-8"), re.DOTALL)
}
DESCRIBED = """
select table_name, null, comment from duckdb_tables() where schema_name = 'marts'
union all
select view_name, null, comment from duckdb_views() where schema_name = 'marts'
union all
select table_name, column_name, comment from duckdb_columns() where schema_name = 'marts'
"""


def described() -> dict[tuple[str, str | None], str]:
    """By mart, and by mart and column, what its YAML file says."""
    said = {}
    for path in (ROOT / "models" / "marts").rglob("*.yml"):
        (model,) = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
        said[model["name"], None] = model["description"]
        for column in model["columns"]:
            block = re.fullmatch(r"{{ doc\('(\w+)'\) }}", column["description"])
            said[model["name"], column["name"]] = DOC_BLOCKS[block[1]] if block else column["description"]
    return said


def in_the_warehouse(database: Path) -> dict[tuple[str, str | None], str | None]:
    return {(relation, column): comment for relation, column, comment in query(database, DESCRIBED)}


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_of_the_page_has_an_answer(demo: Path, question: str) -> None:
    assert query(demo, QUESTIONS[question])


def test_the_page_has_five_questions() -> None:
    assert len(QUESTIONS) == 5


def test_every_mart_and_column_is_described_in_the_warehouse_as_in_its_file(demo: Path) -> None:
    assert in_the_warehouse(demo) == described()


def test_the_published_copy_keeps_every_description(demo: Path, tmp_path: Path) -> None:
    warehouse = Path(shutil.copyfile(demo, tmp_path / "spend.duckdb"))
    copy = in_the_warehouse(publish(warehouse).path)
    own = {what: copy.pop(what) for what in [*copy] if what[0] == "published"}
    assert copy == described()
    assert len(own) == 3
    assert all(own.values())


def test_descriptions_fit_every_engine() -> None:
    """BigQuery takes 1,024 characters for a column. No adapter's quoting has to stand a backslash or a dollar sign."""
    said = described()
    assert max(len(text) for (_, column), text in said.items() if column) <= 1024
    assert [what for what, text in said.items() if "\\" in text or "$" in text] == []


def test_the_thirteen_ways_to_cut_the_bill_are_thirteen(demo: Path) -> None:
    assert query(demo, "select count(distinct entity_type) from marts.entity_daily_spend") == [(13,)]
    assert "counts it thirteen times" in PAGE
