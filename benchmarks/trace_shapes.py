"""Write the quantiles of public LLM traces that the incident simulator draws from.

`python benchmarks/trace_shapes.py DIR`, where DIR holds AzureLLMInferenceTrace_conv_2023.csv,
AzureLLMInferenceTrace_code_2023.csv and mooncake_conversation_trace.jsonl.
"""

import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from llm_spend.demo.simulator.shapes import SHAPES_FILE

POINTS = 40
LONGEST_SHARE = 0.995
"""Above it single requests decide; the last point stands for them."""
WINDOW_SECONDS = 300

Call = tuple[float, int, int]
"""Seconds, input tokens, output tokens."""


def main() -> None:
    folder = Path(sys.argv[1])
    traces = {
        "conversation": list(azure(folder / "AzureLLMInferenceTrace_conv_2023.csv")),
        "code": list(azure(folder / "AzureLLMInferenceTrace_code_2023.csv")),
        "long_conversation": list(mooncake(folder / "mooncake_conversation_trace.jsonl")),
    }
    columns: dict[str, list[float]] = {"share": [round(nth / POINTS, 4) for nth in range(POINTS + 1)]}
    for name, calls in traces.items():
        columns[f"{name}_input"] = quantiles([tokens for _, tokens, _ in calls])
        columns[f"{name}_output"] = quantiles([tokens for _, _, tokens in calls])
        columns[f"{name}_rate"] = quantiles(window_counts([seconds for seconds, _, _ in calls]))
    with SHAPES_FILE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def azure(path: Path) -> Iterator[Call]:
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            moment = datetime.fromisoformat(row["TIMESTAMP"][:26])
            yield moment.timestamp(), int(row["ContextTokens"]), int(row["GeneratedTokens"])


def mooncake(path: Path) -> Iterator[Call]:
    with path.open(encoding="utf-8") as file:
        for call in map(json.loads, file):
            yield call["timestamp"] / 1000, call["input_length"], call["output_length"]


def window_counts(seconds: Sequence[float]) -> list[int]:
    """Calls in each whole window of the trace."""
    counts = Counter(int((moment - min(seconds)) // WINDOW_SECONDS) for moment in seconds)
    return [counts[window] for window in range(max(counts))]


def quantiles(values: Sequence[int]) -> list[float]:
    """Equally spaced quantiles, scaled so that the straight lines between them have the mean 1."""
    ordered = sorted(values)
    points = [ordered[round(min(nth / POINTS, LONGEST_SHARE) * (len(ordered) - 1))] for nth in range(POINTS + 1)]
    mean = sum((low + high) / 2 for low, high in pairwise(points)) / POINTS
    return [round(point / mean, 4) for point in points]


if __name__ == "__main__":
    main()
