"""What docs/landing says an engine's landing tables are: the columns that a load writes and the models read."""

import re
from pathlib import Path

import pytest

from llm_spend.ingest.schema import TABLES

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = sorted((ROOT / "docs" / "landing").glob("*.sql"))


@pytest.mark.parametrize("path", DOCUMENTED, ids=lambda path: path.stem)
@pytest.mark.parametrize("table", ["raw.raw_usage_events", "raw.raw_rejected_events"])
def test_landing_tables_have_the_columns_of_a_load(path: Path, table: str) -> None:
    ddl = re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8"))
    (body,) = re.findall(rf"create table if not exists {table} \((.*?)\n\)", ddl, re.DOTALL | re.IGNORECASE)
    columns = re.findall(r"^\s+`?(\w+)`? ", body, re.MULTILINE)
    assert columns == [column.name for column in TABLES[table]]
