"""Broken records of every kind of log: nothing stops, and each row is told with its reason.

LLM_SPEND_FUZZ is how many records per log are broken: 10,000 by `make test-sources`, fewer in `make test`.
"""

import copy
import json
import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

from conftest import build_sources, query
from test_sources import DATA, SAMPLES

pytestmark = pytest.mark.slow

RECORDS = int(os.environ.get("LLM_SPEND_FUZZ", "500"))
HUGE, TEXTS = 10**30, ("", " ", "null", "NaN", "-1", "1e400", "ﷺ", "💸" * 300, "'; drop table x; --", "\u0000", "0x10")


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Every place in a record, as its keys and positions."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, one in inner for place in [(*path, key), *places(one, (*path, key))]]


def broken(record: Any, random: Random) -> str:
    """One record with one to three faults, as a line of JSON that may be cut."""
    record = copy.deepcopy(record)
    for _ in range(random.randint(1, 3)):
        found = places(record)
        if not found:
            break
        *path, key = random.choice(found)
        holder = record
        for step in path:
            holder = holder[step]
        fault = random.randrange(8)
        if fault == 0:
            del holder[key]
        else:
            holder[key] = (
                *(None, HUGE, -HUGE, -random.randint(1, 999), random.choice(TEXTS), {"nested": [holder[key]]}),
                [random.choice([True, 0.5, "x"])],
            )[fault - 1]
    line = json.dumps(record, ensure_ascii=random.random() < 0.5)
    return line[: random.randrange(1, len(line))] if random.random() < 0.05 else line


@pytest.fixture(scope="module")
def warehouse(module_path: Path) -> Path:
    logs = {}
    for source, files in SAMPLES.items():
        random = Random(f"fuzz {source}")
        for files_of_a_mapping, mapping in files.items():
            texts = [path.read_text(encoding="utf-8") for path in sorted(DATA.glob(files_of_a_mapping))]
            whole = [json.loads(line) for text in texts for line in text.splitlines() if line.strip()]
            log = module_path / f"{source}-{len(logs)}.jsonl"
            lines = [broken(random.choice(whole), random) for _ in range(RECORDS // len(files))]
            # Surrogates and control characters are the point of some records: they are written as they are.
            log.write_bytes("\n".join([*map(json.dumps, whole[:20]), *lines]).encode("utf-8", "surrogatepass"))
            logs[log] = mapping
    return build_sources(module_path / "spend.duckdb", logs, "spend_coverage", "merged_calls", "quarantined_events")


def test_every_record_is_accepted_or_told_with_its_reason(warehouse: Path) -> None:
    sums = query(
        warehouse,
        """
        select source, raw_rows, accepted_rows + duplicate_rows + merged_rows + quarantined_rows + rejected_rows
            + left_out_rows, raw_rows_gone, rejected_rows, quarantined_rows
        from marts.spend_coverage
        """,
    )
    assert {source for source, *_ in sums} == set(SAMPLES)
    for source, raw, told, gone, rejected, quarantined in sums:
        assert (raw, 0) == (told, gone), source
        assert rejected > 0, source
        assert quarantined > 0, source
    without_reason = "select count(*) from marts.quarantined_events where coalesce(reason, '') = ''"
    assert query(warehouse, without_reason) == [(0,)]


def test_no_broken_number_becomes_money(warehouse: Path) -> None:
    """What is accepted is within what a call can use: a negative or huge count never gets a price."""
    assert query(
        warehouse,
        """
        select count(*) from marts.fct_llm_attempts
        where least(input_tokens, output_tokens, cached_input_tokens, cache_write_tokens, reasoning_tokens) < 0
            or cost_usd < 0 or cached_input_tokens + cache_write_tokens > input_tokens
        """,
    ) == [(0,)]
