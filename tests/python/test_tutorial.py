"""docs/tutorial.md finds everything that was planted, at its size.

That its outputs are true, test_documented_commands.py proves.
"""

import csv
import re
from decimal import Decimal

import pytest

from conftest import ROOT
from documentation import blocks

PAGE = "docs/tutorial.md"
MARKDOWN = (ROOT / PAGE).read_text(encoding="utf-8")
SAID = re.findall(r"(?:\*\*Planted\*\*: |\| )`(\w+)`, ([^|\n]+)", MARKDOWN)
SHOWN = " ".join(block.text for block in blocks(PAGE) if block.language == "text")
NOT_LITERALLY = {
    "prompt_regression": "21.5 % between 16.0 and 27.2",
    "neutral_release": "3.6 % between -7.5 and 15.9",
    "late_rows": "9 and 6",
    "not_yet_booked": "-0.55 and -3.76",
}


def planted(name: str, key: str, value: str) -> list[tuple[str, Decimal]]:
    with (ROOT / "seeds" / "demo" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [(row[key], Decimal(row[value])) for row in csv.DictReader(file)]


PLANTED = planted("demo_planted_incidents", "incident_id", "expected_value") + planted(
    "demo_planted_bill_gaps", "gap_id", "expected_usd"
)


def numbers(text: str) -> set[Decimal]:
    return {Decimal(number) for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?![\w])", text)}


def test_each_is_found_once() -> None:
    assert sorted(name for name, _ in SAID) == sorted(name for name, _ in PLANTED)


@pytest.mark.parametrize(("name", "size"), PLANTED)
def test_each_is_said_and_shown_at_its_size(name: str, size: Decimal) -> None:
    assert size in numbers(dict(SAID)[name])
    assert size in numbers(SHOWN) or name in NOT_LITERALLY
