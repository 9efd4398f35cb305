"""Whether the price book still says what its source says."""

import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from llm_spend import paths
from llm_spend.defs.settings import PREFIX
from llm_spend.errors import UserError
from llm_spend.pricing.refresh import RefreshReport, installed_library, refresh

PRICES = dg.AssetKey([PREFIX, "raw", "model_prices"])


@dg.asset_check(
    asset=PRICES,
    name="prices_are_current",
    description="`llm-spend prices refresh` would change nothing: no price of the installed genai-prices is newer.",
)
def prices_are_current() -> dg.AssetCheckResult:
    """Refreshes a copy of the price seeds and compares. It warns: costs are computed from the prices that are there."""
    try:
        library = installed_library()
    except UserError as error:
        return dg.AssetCheckResult(passed=True, metadata={"not_compared": str(error)})
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copytree(paths.project_dir() / "seeds" / "prices", Path(folder) / "prices")
        return check_result(refresh(copy, library, datetime.now(UTC).date(), allow_jumps=True))


def check_result(report: RefreshReport) -> dg.AssetCheckResult:
    """Rows that a refresh would add, change or remove fail the check as a warning."""
    rows = {seed.seed: seed.added + seed.changed + seed.removed for seed in report.seeds}
    changed = {seed: count for seed, count in rows.items() if count}
    told = ", ".join(f"{count} rows of {seed}" for seed, count in changed.items())
    return dg.AssetCheckResult(
        passed=not changed,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"llm-spend prices refresh would change {told} ({report.source})" if changed else None,
        metadata={"source": report.source, **rows},
    )
