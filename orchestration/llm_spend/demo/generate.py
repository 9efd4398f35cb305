"""Writes the demo company's usage log and bills: any size, the same bytes each time, one hour in memory at once."""

import csv
from collections.abc import Iterable, Sequence
from datetime import timedelta
from hashlib import md5
from pathlib import Path
from random import Random

from llm_spend.demo import labels
from llm_spend.demo.traffic import UsageLog
from llm_spend.demo.world import DEFAULT_EVENTS, DEMO_DAYS, DEMO_START
from llm_spend.errors import UserError

SOURCE_FILE = "demo.jsonl"
FILE_HASH = "demo"

# fmt: off
EVENT_COLUMNS = (
    "event_id", "started_at", "provider", "model", "requested_model", "service_tier", "region", "speed",
    "external_request_id", "call_name", "attempt_number", "run_id", "endpoint_tag", "prompt_version",
    "feature_name", "agent_id", "workflow_id", "cost_group", "tenant_id", "user_id", "user_type", "team",
    "project_id", "api_key_id", "environment", "data_mode", "input_tokens", "output_tokens", "total_tokens",
    "cached_input_tokens", "cache_write_tokens", "cache_write_1h_tokens", "reasoning_tokens",
    "input_audio_tokens", "output_audio_tokens", "input_image_tokens", "output_image_tokens",
    "cached_audio_tokens", "cached_image_tokens", "web_search_requests", "other_usage", "cache_hit", "status",
    "error_code", "task_succeeded", "latency_ms", "reported_cost_usd", "sample_rate", "tags", "_loaded_at",
    "_input_includes_cache", "_output_includes_reasoning", "_file_hash", "_source_file", "_source_line",
    "_row_hash",
)
REJECTED_COLUMNS = ("_file_hash", "_source_file", "_source_line", "reason", "raw_text", "_loaded_at", "source")
LABEL_COLUMNS = (
    "incident_id", "kind", "entity_type", "entity_id", "starts_at", "ends_at", "metric", "expected_value",
    "unit", "description",
)
# fmt: on


def generate(out_dir: Path, seed: int = 7, days: int = DEMO_DAYS, events: int = DEFAULT_EVENTS) -> None:
    """Writes about `events` usage events over `days` days from DEMO_START, and labels what was planted.

    Makes raw_demo_usage_events.csv, raw_demo_rejected_events.csv, demo_planted_incidents.csv, what the providers bill
    (raw_demo_openai_*.csv, raw_demo_anthropic_*.csv, raw_demo_bills_periods.csv) and demo_planted_bill_gaps.csv in
    `out_dir`, which is created when missing. What is planted keeps its dates: outside the days it is not planted.
    Raises UserError when `days` or `events` is below 1.
    """
    if days < 1 or events < 1:
        raise UserError(f"{events} events over {days} days is no demo: use --events and --days of at least 1")
    out_dir.mkdir(parents=True, exist_ok=True)
    log = UsageLog(Random(seed), days, events)
    lines = 0
    with (out_dir / "raw_demo_usage_events.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(EVENT_COLUMNS) + "\n")
        as_text = csv.writer(_Echo(), lineterminator="").writerow
        for lines, event in enumerate(log.rows(), start=1):
            event["_file_hash"] = FILE_HASH
            event["_source_file"] = SOURCE_FILE
            event["_source_line"] = lines
            text = as_text(map(event.get, EVENT_COLUMNS[:-1]))
            file.write(f"{text},{md5(text.encode(), usedforsecurity=False).hexdigest()}\n")
    rejected = [
        (FILE_HASH, SOURCE_FILE, line, reason, raw_text, log.as_of_text, "app")
        for line, (reason, raw_text) in enumerate(labels.REJECTED_LINES, start=lines + 1)
    ]
    _write_csv(out_dir / "raw_demo_rejected_events.csv", REJECTED_COLUMNS, rejected)
    planted = labels.planted_incidents(log.sizes, DEMO_START + timedelta(days=days), log.scale)
    _write_csv(out_dir / "demo_planted_incidents.csv", LABEL_COLUMNS, planted)
    for name, (columns, rows) in log.bills.files().items():
        _write_csv(out_dir / name, columns, rows)


class _Echo:
    """Lets csv.writer hand its text back."""

    def write(self, text: str) -> str:
        return text


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
