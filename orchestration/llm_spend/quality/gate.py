"""Judges what was landed, before any model runs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.paths import artifacts_dir
from llm_spend.quality import suites
from llm_spend.quality.frames import NOT_PARSED, DuckDbFrames, FrameSource, LandedFile
from llm_spend.quality.staging import StagingRules, staging_rules
from llm_spend.quality.validation import Validations
from llm_spend.quality.verdict import Finding, Severity, Verdict

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from pandas import DataFrame

EXAMPLES = 3
_SEVERITIES: dict[str, Severity] = {"critical": "error", "warning": "warning"}


@dataclass
class _Tally:
    """What the batches of one file add up to."""

    file: LandedFile
    rows: int = 0
    newest_valid: datetime | None = None

    def watch(self, batches: Iterator["DataFrame"]) -> Iterator["DataFrame"]:
        for batch in batches:
            self.rows += len(batch)
            valid = batch.loc[batch["quarantine_reason"].isna(), "started_at"].dropna()
            if len(valid):
                newest = valid.max().to_pydatetime()
                self.newest_valid = max(newest, self.newest_valid or newest)
            yield batch


def check(
    database: Path,
    as_of: datetime | None = None,
    docs_dir: Path | None = None,
    file_hashes: Sequence[str] | None = None,
    batch_rows: int = 50_000,
) -> Verdict:
    """Judge the landed files of a DuckDB file; nothing is written but the Data Docs under `docs_dir`.

    The files are those with the content hashes `file_hashes`, by default those of the latest load. `as_of` is aware,
    or naive UTC; by default the present. At most `batch_rows` lines are in memory at a time. Raises UserError when
    there is nothing to judge, or no Great Expectations to judge with.
    """
    moment = as_of or datetime.now(UTC)
    moment = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    if not database.exists():
        raise UserError(f"{database} does not exist: load usage events with llm-spend load --events")
    validations = Validations()
    with connect(database, read_only=True) as connection:
        frames = DuckDbFrames(connection)
        findings, tallies = _judge_tables(validations, frames, database), []
        if not findings:
            findings, tallies = _judge_files(validations, frames, file_hashes, moment, batch_rows)
    page = validations.write_docs((docs_dir or artifacts_dir() / "quality") / "data_docs")
    return Verdict(
        tuple(sorted(findings, key=lambda finding: finding.severity)),
        page,
        sum(tally.rows for tally in tallies),
        tuple(tally.file.file_hash for tally in tallies),
    )


def _judge_tables(validations: Validations, frames: FrameSource, database: Path) -> list[Finding]:
    result = validations.run(
        "landing_tables", "columns", str(database), "name", suites.table_suite(), [frames.columns()]
    )
    assert result is not None
    findings = []
    for one in _failed(result):
        wrong = one.result["partial_unexpected_index_list"]
        count = one.result["unexpected_count"]
        problem = "of another type" if "column_A" in one.expectation_config.kwargs else "missing"
        findings.append(
            Finding(
                "error",
                one.expectation_config.description,
                str(database),
                f"{_count(count, 'column')} {problem}; load the files again into a new file (--db)",
                tuple(_column_example(column) for column in wrong[:EXAMPLES]),
            )
        )
    return findings


def _column_example(column: Mapping[str, str | None]) -> str:
    if "expected_type" in column:
        return f"{column['name']} is {column['type']}, not {column['expected_type']}"
    return str(column["name"])


def _judge_files(
    validations: Validations,
    frames: FrameSource,
    file_hashes: Sequence[str] | None,
    as_of: datetime,
    batch_rows: int,
) -> tuple[list[Finding], list[_Tally]]:
    files = frames.files(file_hashes)
    rules = {source: staging_rules(as_of, source) for source in {file.source for file in files}}
    findings, tallies = [], []
    for file in files:
        tally = _Tally(file)
        findings += _judge_rows(validations, frames, tally, rules[file.source], batch_rows)
        tallies.append(tally)
    findings += _judge_volume_and_age(validations, tallies, as_of)
    return findings, tallies


def _judge_rows(
    validations: Validations, frames: FrameSource, tally: _Tally, rules: StagingRules, batch_rows: int
) -> list[Finding]:
    """At most one finding: bad rows are an error or a warning, and their values are its examples."""
    file = tally.file
    batches = tally.watch(frames.batches(file, rules, batch_rows))
    result = validations.run("landed_rows", file.file_hash, file.path, "_source_line", suites.row_suite(rules), batches)
    if result is None or result.success:
        return []
    failed = _failed(result)
    verdict = next(one for one in failed if one.expectation_config.kwargs["column"] == "quarantine_reason")
    values = [one for one in failed if one.expectation_config.kwargs["column"] != "quarantine_reason"]
    bad, rows = verdict.result["unexpected_count"], verdict.result["element_count"]
    return [
        Finding(
            _SEVERITIES[verdict.expectation_config.severity],
            verdict.expectation_config.description,
            file.path,
            f"{bad:,} of {_count(rows, 'row')} not valid ({bad / rows:.1%})",
            tuple(
                f"{file.path} line {row['_source_line']}: {_offence(row, values)}"
                for row in verdict.result["partial_unexpected_index_list"][:EXAMPLES]
            ),
        )
    ]


def _offence(row: Mapping[str, object], failed: Sequence["ExpectationValidationResult"]) -> str:
    """What is wrong with a row: the value that an expectation on a column names, else the quarantine's reason."""
    reason = str(row["quarantine_reason"])
    if reason.startswith(NOT_PARSED):
        return reason
    for one in failed:
        column = one.expectation_config.kwargs["column"]
        for other in one.result["partial_unexpected_index_list"]:
            if other["_source_line"] == row["_source_line"]:
                return f"{column} = {_shown(other[column])}"
    return reason.replace("_", " ")


def _judge_volume_and_age(validations: Validations, tallies: Sequence[_Tally], as_of: datetime) -> list[Finding]:
    import pandas as pd

    newest = max((t for t in tallies if t.newest_valid), key=lambda t: t.newest_valid, default=None)
    frame = pd.DataFrame(
        {
            "file": [t.file.path for t in tallies],
            "rows": [t.rows for t in tallies],
            "rows_to_usual": [t.rows / t.file.usual_rows if t.rows and t.file.usual_rows else None for t in tallies],
            "hours_before_as_of": [
                (as_of - t.newest_valid).total_seconds() / 3600 if t.newest_valid else None for t in tallies
            ],
        }
    ).astype({"rows_to_usual": float, "hours_before_as_of": float})
    suite = suites.file_suite(some_rows=any(t.rows for t in tallies), some_valid=newest is not None)
    result = validations.run("landed_files", "files", _count(len(tallies), "file"), "file", suite, [frame])
    assert result is not None
    findings = []
    for one in _failed(result):
        config = one.expectation_config
        if config.kwargs["column"] == "hours_before_as_of":
            assert newest is not None
            age = f"{one.result['observed_value']:,.0f} hours before {as_of:%Y-%m-%d %H:%M}"
            messages = {newest.file.path: f"its newest event is of {newest.newest_valid:%Y-%m-%d %H:%M}, {age}"}
        elif config.kwargs["column"] == "rows_to_usual":
            wrong = one.result["partial_unexpected_index_list"]
            messages = {row["file"]: f"it has {row['rows_to_usual']:.2g} times the usual rows" for row in wrong}
        else:
            messages = {row["file"]: "it is empty" for row in one.result["partial_unexpected_index_list"]}
        severity = _SEVERITIES[config.severity]
        findings += [Finding(severity, config.description, path, message) for path, message in messages.items()]
    return findings


def _failed(result: "ExpectationSuiteValidationResult") -> list["ExpectationValidationResult"]:
    """Those not met, the severest first."""
    failed = [one for one in result.results if not one.success]
    return sorted(failed, key=lambda one: one.expectation_config.severity != "critical")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
