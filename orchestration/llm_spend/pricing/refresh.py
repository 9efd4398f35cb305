"""Rebuilds the price seeds from the data bundled in the installed `genai-prices` package."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from llm_spend.errors import UserError

if TYPE_CHECKING:
    from llm_spend.pricing.tables import Row, Seed


@dataclass(frozen=True)
class SeedChange:
    """Rows of one seed file, compared by key with the file before."""

    seed: str
    rows: int
    added: int
    changed: int
    removed: int


@dataclass(frozen=True)
class RefreshReport:
    """What a refresh wrote. `source` names the data and its version."""

    source: str
    changes: Sequence[SeedChange]


def refresh(seeds_dir: Path) -> RefreshReport:
    """Rewrite the generated CSV files in `seeds_dir` and report what changed.

    The result depends on the installed data alone, so a second run changes nothing. `model_prefixes.csv` is
    kept by hand and left alone.

    Raises UserError when genai-prices is not installed or the directory does not exist.
    """
    if not seeds_dir.is_dir():
        raise UserError(f"{seeds_dir} is not a directory; name the folder that holds the price seeds")
    try:
        from genai_prices.data import providers

        from llm_spend.pricing.tables import csv_text, price_seeds
    except ModuleNotFoundError as error:
        raise UserError("genai-prices is not installed; run pip install 'llm-spend[prices]'") from error
    source = f"genai-prices {version('genai-prices')}"
    seeds = price_seeds(providers, source)
    report = RefreshReport(source, [_change(seed, seeds_dir / f"{seed.name}.csv") for seed in seeds])
    for seed in seeds:
        (seeds_dir / f"{seed.name}.csv").write_text(csv_text(seed), encoding="utf-8", newline="\n")
    return report


def _change(seed: "Seed", path: Path) -> SeedChange:
    before = _content_by_key(seed, _read_rows(path, seed.columns))
    after = _content_by_key(seed, seed.rows)
    return SeedChange(
        seed=seed.name,
        rows=len(seed.rows),
        added=len(after.keys() - before.keys()),
        changed=sum(before[key] != after[key] for key in after.keys() & before.keys()),
        removed=len(before.keys() - after.keys()),
    )


def _content_by_key(seed: "Seed", rows: "Iterable[Row]") -> "Mapping[Row, Row]":
    content = [i for i in range(seed.key_width, len(seed.columns)) if seed.columns[i] not in seed.provenance]
    return {row[: seed.key_width]: tuple(row[i] for i in content) for row in rows}


def _read_rows(path: Path, columns: Sequence[str]) -> "list[Row]":
    """Rows of a former file; none where the file does not exist or has other columns."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return [tuple(row) for row in rows] if header == list(columns) else []
