"""The expectations, in code. Severity is Great Expectations' own: critical stops the build, warning does not."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from llm_spend.quality.frames import COUNT_COLUMNS
from llm_spend.quality.staging import StagingRules

if TYPE_CHECKING:
    from great_expectations.expectations import Expectation

VALID_SHARE = 0.95
"""Single bad rows are the quarantine's; a file with more than one in twenty was broken where it was written."""

FRESH_HOURS = 48
"""A daily log that ends with yesterday is up to 24 h old when it is read, and 48 h when one day's export failed."""

UNUSUAL_FACTOR = 10
"""Weekends and launches halve or double a log; a tenth of the usual rows, or ten times, is a part or a copy of it."""


def table_suite() -> list["Expectation"]:
    """For the frame of `FrameSource.columns`."""
    from great_expectations import expectations as gxe

    return [
        gxe.ExpectColumnValuesToNotBeNull(
            column="type",
            severity="critical",
            description="the landing tables have every column that the models read",
        ),
        gxe.ExpectColumnPairValuesToBeEqual(
            column_A="type",
            column_B="expected_type",
            ignore_row_if="either_value_is_missing",
            severity="critical",
            description="the landing tables' columns have the declared types",
        ),
    ]


def file_suite(some_rows: bool, some_valid: bool) -> list["Expectation"]:
    """For a frame with one row per file: file, rows, rows_to_usual, hours_before_as_of.

    An empty file beside good ones is a quiet hour; when all are empty, something is broken.
    """
    from great_expectations import expectations as gxe

    suite: list[Expectation] = [
        gxe.ExpectColumnValuesToBeBetween(
            column="rows",
            min_value=1,
            severity="warning" if some_rows else "critical",
            description="a file has rows",
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="rows_to_usual",
            min_value=1 / UNUSUAL_FACTOR,
            max_value=UNUSUAL_FACTOR,
            severity="warning",
            description="a file has about as many rows as the files before it",
        ),
    ]
    if some_valid:
        suite.append(
            gxe.ExpectColumnMinToBeBetween(
                column="hours_before_as_of",
                max_value=FRESH_HOURS,
                severity="warning",
                description=f"the newest event is at most {FRESH_HOURS} hours old",
            )
        )
    return suite


def row_suite(rules: StagingRules) -> list["Expectation"]:
    """For the batches of one file. The first two are the verdict, the others say which values broke it."""
    from great_expectations import expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    return [
        gxe.ExpectColumnValuesToBeNull(
            column="quarantine_reason",
            mostly=VALID_SHARE,
            severity="critical",
            description=f"at least {VALID_SHARE:.0%} of the rows are valid",
        ),
        gxe.ExpectColumnValuesToBeNull(
            column="quarantine_reason",
            severity="warning",
            description="every row is valid",
        ),
        *(
            gxe.ExpectColumnValuesToNotBeNull(
                column=column,
                row_condition=Column("event_id").is_not_null(),
                severity="warning",
                description=f"{column} is given",
            )
            for column in ("started_at", "model")
        ),
        *(
            gxe.ExpectColumnValuesToBeInSet(
                column=column,
                value_set=words,
                severity="warning",
                description=f"{column} is one of {', '.join(words)}",
            )
            for column, words in rules.vocabularies.items()
        ),
        *_no_negative(COUNT_COLUMNS),
    ]


def _no_negative(columns: Sequence[str]) -> list["Expectation"]:
    from great_expectations import expectations as gxe

    return [
        gxe.ExpectColumnValuesToBeBetween(
            column=column, min_value=0, severity="warning", description=f"{column} is not negative"
        )
        for column in columns
    ]
