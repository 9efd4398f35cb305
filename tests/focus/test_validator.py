"""The FinOps Foundation's own validator on an exported month: what each rule says, and why twelve of them cannot hold.

`make test-focus` installs it into an environment of its own, under target/focus_validator.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
VALIDATOR = ROOT / "target" / "focus_validator" / "bin" / "python"

MISNAMED = {"InvoiceIssuer_Required", "Provider_Required", "Publisher_Required", "ResourceID_Required"}
"""They ask for columns that the specification calls InvoiceIssuerName, ProviderName, PublisherName and ResourceId."""

WITHOUT_CONDITION = {
    "CommitmentDiscountCategory_Required",
    "CommitmentDiscountId_Required",
    "CommitmentDiscountName_Required",
    "CommitmentDiscountStatus_Required",
    "CommitmentDiscountType_Required",
    "ResourceName_Required",
    "ResourceType_Required",
}
"""They ask for columns that the specification wants only of who bills commitments or provisioned resources."""

OF_AN_OLDER_DRAFT = {"SkuPriceId_Nullable"}
"""It reads ChargeType, a column that 1.0 no longer has."""

CANNOT_HOLD = MISNAMED | WITHOUT_CONDITION | OF_AN_OLDER_DRAFT


def outcomes(file: Path) -> dict[str, str]:
    """Rule → `passed`, or what it says instead."""
    assert VALIDATOR.exists(), "the validator is not installed: run make test-focus"
    result = subprocess.run([VALIDATOR, FOLDER / "outcomes.py", file], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def failed(found: dict[str, str]) -> set[str]:
    return {rule for rule, outcome in found.items() if outcome != "passed"}


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A month of the demo as the command line exports it."""
    folder = tmp_path_factory.mktemp("focus")
    command = Path(sys.executable).with_name("llm-spend")
    database = folder / "demo.duckdb"
    subprocess.run([command, "demo", "--db", database], check=True, capture_output=True)
    subprocess.run(
        [command, "export", "focus", "--month", "2026-10", "--out", folder, "--db", database],
        check=True,
        capture_output=True,
    )
    return folder / "focus_2026-10.csv"


def changed(file: Path, to: Path, values: dict[str, str], without: str = "") -> Path:
    """A copy whose first row has other values, without one of the columns."""
    with file.open(encoding="utf-8", newline="") as source:
        first, *rest = csv.DictReader(source)
    with to.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, [name for name in first if name != without], extrasaction="ignore")
        writer.writeheader()
        writer.writerows([first | values, *rest])
    return to


def test_every_rule_but_those_that_cannot_hold_passes(month: Path) -> None:
    found = outcomes(month)
    assert len(found) == 133
    assert failed(found) == CANNOT_HOLD


def test_the_validator_finds_what_is_wrong(month: Path, tmp_path: Path) -> None:
    """Seven faults, each in a column of its own, and two values that are as they should be."""
    values = {
        "BilledCost": "$1",
        "BillingCurrency": "dollars",
        "ChargeClass": "Correction",
        "ChargePeriodStart": "2026-10-01T00:00:00",
        "EffectiveCost": "",
        "PricingCategory": "Cheap",
        "RegionId": "eu",
        "Tags": "[1]",
    }
    found = outcomes(changed(month, tmp_path / "broken.csv", values, without="ListCost"))
    assert failed(found) - CANNOT_HOLD == {
        "BilledCost_IsDecimal",
        "BillingCurrency_IsCurrencyCode",
        "ChargePeriodStart_IsDateTime",
        "EffectiveCost_NotNull",
        "ListCost_Required",
        "PricingCategory_Enum_1.0",
        "Tags_IsJSONObject",
    }
