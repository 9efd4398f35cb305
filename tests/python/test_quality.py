import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pytest

from llm_spend.errors import UserError
from llm_spend.ingest.load import load
from llm_spend.quality import Verdict, gate
from llm_spend.quality.staging import StagingRules, staging_rules

AS_OF = datetime(2026, 3, 2)
UNSEEN_STATUS = {"status": "sucess"}
NEGATIVE = {"input_tokens": -5}
LARGER_THAN_ITS_WHOLE = {"cached_input_tokens": 1000}
FLOOR = "at least 95% of the rows are valid"


@pytest.fixture(scope="session")
def rules() -> StagingRules:
    return staging_rules(AS_OF, "app")


class Door:
    """Files landed by the real loader, and the gate behind it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.database = directory / "landing.duckdb"
        self.loads = 0

    def file(self, name: str, rows: int, broken: Sequence[dict[str, Any] | str] = (), day: str = "2026-03-01") -> Path:
        """A log of `rows` lines whose first ones are broken: by other values, or as text that is no event."""
        lines = []
        for number in range(rows):
            event = {
                "event_id": f"{name}-{number}", "started_at": f"{day}T{number % 24:02d}:00:00Z", "model": "gpt-4o",
                "status": "success", "environment": "prod", "input_tokens": 100, "output_tokens": 10,
            }  # fmt: skip
            change = broken[number] if number < len(broken) else {}
            lines.append(change if isinstance(change, str) else json.dumps(event | change))
        path = self.directory / name
        path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        return path

    def load(self, *paths: Path) -> None:
        self.loads += 1
        load(self.database, [str(path) for path in paths], None, datetime(2026, 3, 2, 0, 0, self.loads))

    def check(self, **options: Any) -> Verdict:
        return gate.check(self.database, AS_OF, self.directory / "quality", **options)

    def execute(self, sql: str) -> None:
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(sql)


@pytest.fixture
def door(tmp_path: Path, rules: StagingRules, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.setattr(gate, "staging_rules", lambda _as_of, _source: rules)
    return Door(tmp_path)


def test_good_files_pass_without_a_word(door: Door) -> None:
    door.load(door.file("good.jsonl", 50))
    verdict = door.check()
    assert verdict.findings == ()
    assert verdict.rows == 50
    verdict.raise_errors()


@pytest.mark.parametrize("bad", [3, 5])
def test_up_to_5_percent_bad_rows_are_a_warning(door: Door, bad: int) -> None:
    path = door.file("some.jsonl", 100, [UNSEEN_STATUS] * bad)
    door.load(path)
    verdict = door.check()
    verdict.raise_errors()
    (warning,) = verdict.warnings
    assert warning.expectation == "every row is valid"
    assert warning.message == f"{bad} of 100 rows not valid ({bad}.0%)"
    assert warning.examples == tuple(f'{path} line {line}: status = "sucess"' for line in (1, 2, 3))


def test_more_than_5_percent_stop_with_one_line(door: Door) -> None:
    bad = [LARGER_THAN_ITS_WHOLE, NEGATIVE, '{"started', *[UNSEEN_STATUS] * 7]
    path = door.file("bad.jsonl", 100, bad)
    door.load(path)
    verdict = door.check()
    with pytest.raises(UserError) as stopped:
        verdict.raise_errors()
    assert stopped.value.exit_code == 1
    assert str(stopped.value) == (
        f"expectation not met, '{FLOOR}': {path}: 10 of 100 rows not valid (10.0%): line 1: part larger than whole; "
        f"line 2: input_tokens = -5; line 3: not parsed: not valid JSON; all results: {verdict.docs_page}"
    )
    assert verdict.warnings == ()


def test_lines_that_are_no_event_are_bad_rows(door: Door) -> None:
    door.load(door.file("torn.jsonl", 100, ["{"] * 6))
    (error,) = door.check().errors
    assert error.message == "6 of 100 rows not valid (6.0%)"


def test_each_file_is_judged_alone_and_only_those_of_the_latest_load(door: Door) -> None:
    door.load(door.file("earlier.jsonl", 20, [UNSEEN_STATUS] * 20))
    bad, good = door.file("bad.jsonl", 10, [NEGATIVE]), door.file("good.jsonl", 990)
    door.load(bad, good)
    assert [error.source_file for error in door.check().errors] == [str(bad)]
    with duckdb.connect(str(door.database), read_only=True) as connection:
        (earlier,) = connection.execute(
            "select _file_hash from raw.raw_loaded_files where _source_file like '%earlier%'"
        ).fetchone() or ("",)
    verdict = door.check(file_hashes=[earlier])
    assert [error.message for error in verdict.errors] == ["20 of 20 rows not valid (100.0%)"]


@pytest.mark.slow
@pytest.mark.parametrize("bad", [5, 6])
def test_small_batches_give_the_verdict_of_one_batch(door: Door, bad: int) -> None:
    """All bad rows are in the first batch, whose own share is far below the floor."""
    door.load(door.file("log.jsonl", 100, [NEGATIVE, "{", *[UNSEEN_STATUS] * (bad - 2)]))
    whole, parts = door.check(), door.check(batch_rows=7)
    assert parts.findings == whole.findings
    assert parts.rows == whole.rows == 100
    assert bool(whole.errors) == (bad == 6)


@pytest.mark.parametrize(
    ("change", "expectation", "example"),
    [
        ("drop column model", "the landing tables have every column that the models read", "model"),
        ("alter input_tokens type varchar", "the landing tables' columns have the declared types",
         "input_tokens is VARCHAR, not BIGINT"),
    ],
)  # fmt: skip
def test_a_changed_landing_table_is_an_error(door: Door, change: str, expectation: str, example: str) -> None:
    door.load(door.file("good.jsonl", 5))
    door.execute(f"alter table raw.raw_usage_events {change}")
    (error,) = door.check().errors
    assert (error.expectation, error.source_file) == (expectation, str(door.database))
    assert error.examples == (f"raw.raw_usage_events.{example}",)


def test_an_old_log_warns_and_passes(door: Door) -> None:
    old, older = door.file("old.jsonl", 5, day="2026-02-27"), door.file("older.jsonl", 5, day="2026-02-26")
    door.load(old, older)
    verdict = door.check()
    verdict.raise_errors()
    (warning,) = verdict.warnings
    assert warning.source_file == str(old)
    assert warning.message == "its newest event is of 2026-02-27 04:00, 68 hours before 2026-03-02 00:00"


def test_a_row_from_the_future_does_not_hide_an_old_log(door: Door) -> None:
    door.load(door.file("old.jsonl", 100, [{"started_at": "2027-01-01T00:00:00Z"}], day="2026-02-20"))
    assert [finding.expectation for finding in door.check().warnings] == [
        "every row is valid",
        "the newest event is at most 48 hours old",
    ]


def test_an_empty_file_beside_good_ones_is_a_warning(door: Door) -> None:
    empty = door.file("empty.jsonl", 0)
    door.load(door.file("good.jsonl", 5), empty)
    (finding,) = door.check().findings
    assert (finding.severity, finding.source_file, finding.message) == ("warning", str(empty), "it is empty")
    with duckdb.connect(str(door.database), read_only=True) as connection:
        hashes = connection.execute("select _file_hash from raw.raw_loaded_files where event_count = 0").fetchall()
    (finding,) = door.check(file_hashes=[hashes[0][0]]).findings
    assert finding.severity == "error"


def test_a_part_of_the_usual_file_warns(door: Door) -> None:
    for day in range(7):
        door.load(door.file(f"day{day}.jsonl", 100))
    door.load(door.file("part.jsonl", 9))
    (warning,) = door.check().warnings
    assert warning.message == "it has 0.09 times the usual rows"


def test_data_docs_name_what_is_not_met_and_load_nothing_from_elsewhere(door: Door) -> None:
    door.load(door.file("bad <b>.jsonl", 10, [UNSEEN_STATUS]))
    index = door.check().docs_page
    assert index == door.directory / "quality" / "data_docs" / "index.html"
    text = index.read_text(encoding="utf-8")
    assert FLOOR in text
    assert "bad &lt;b&gt;.jsonl" in text
    pages = [index.parent / unquote(link) for link in re.findall(r'href="([^"]+)"', text)]
    assert len(pages) == 3
    assert "sucess" in "".join(page.read_text(encoding="utf-8") for page in pages)
    for page in index.parent.rglob("*.html"):
        assert not re.search(r"https?://", page.read_text(encoding="utf-8")), page
    door.load(door.file("good.jsonl", 10))
    assert FLOOR not in door.check().docs_page.read_text(encoding="utf-8")


def test_the_gate_reads_the_rules_of_the_staging_model_and_leaves_the_file_unlocked(tmp_path: Path) -> None:
    door = Door(tmp_path)
    door.load(door.file("good.jsonl", 20, [UNSEEN_STATUS]))
    assert [warning.expectation for warning in door.check().warnings] == ["every row is valid"]
    door.execute("create table written as select 1 as one")


def test_nothing_landed_is_said_in_one_line(door: Door) -> None:
    with pytest.raises(UserError, match="does not exist: load usage events"):
        door.check()


def test_the_gate_judges_in_a_process_without_a_file() -> None:
    """As Dagster starts them: where PySpark is installed, it ended those with exit code 0 and not a word."""
    program = "from llm_spend.quality.validation import Validations; Validations(); print('judges')"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.endswith("judges\n")
