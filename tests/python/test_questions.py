"""docs/questions.md names marts and columns that exist, and no question without an answer."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = {
    model["name"]: {column["name"] for column in model.get("columns", [])}
    for path in (ROOT / "models" / "marts").rglob("*.yml")
    for model in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
}


def faults(markdown: str) -> list[str]:
    """Rows whose answer is no column of a mart and not said to be planned."""
    found = []
    for line in markdown.splitlines():
        if not line.startswith("| ") or line.startswith("| question"):
            continue
        question, answer = line.strip("| ").split(" | ")
        named = re.findall(r"`(\w+)\.(\w+)`", answer)
        if not named and "planned" not in answer:
            found.append(f"{question}: no answer")
        found += [f"{question}: {mart}.{column}" for mart, column in named if column not in COLUMNS.get(mart, set())]
    return found


def test_every_question_has_a_column_that_exists() -> None:
    markdown = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
    assert markdown.count("\n| ") > 40
    assert not faults(markdown), "\n".join(faults(markdown))


@pytest.mark.parametrize(
    "row",
    ["| who? | `entity_daily_spend.no_column` |", "| who? | `no_mart.cost_usd` |", "| who? | somewhere |"],
)
def test_a_row_that_leads_nowhere_is_found(row: str) -> None:
    assert faults(f"| question | answer |\n|---|---|\n{row}\n")


def test_a_good_row_passes() -> None:
    assert not faults("| who? | `entity_daily_spend.cost_usd` |\n| why? | planned |")


def test_every_mart_of_spend_efficiency_and_releases_answers_something() -> None:
    markdown = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
    marts = {
        path.stem
        for folder in ("spend", "efficiency", "releases")
        for path in (ROOT / "models" / "marts" / folder).glob("*.sql")
    }
    assert not [mart for mart in marts if f"`{mart}." not in markdown]
