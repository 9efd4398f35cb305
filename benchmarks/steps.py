"""The steps that the benchmarks time. Each runs in a process of its own, so that its peak memory is its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from llm_spend.paths import project_dir

MEMORY_LIMIT = os.environ.get("LLM_SPEND_MEMORY_LIMIT", "4GB")
"""What DuckDB may take while it builds, the floor included; the default is that of profiles.yml."""

Figures = dict[str, object]

LOAD = """
import sys, time
from datetime import datetime
from pathlib import Path
from llm_spend.ingest.load import load
database, pattern, loaded_at = sys.argv[1:]
started = time.monotonic()
load(Path(database), [pattern], None, datetime.fromisoformat(loaded_at))
RESULT = {"load_seconds": time.monotonic() - started}
"""

BUILD = """
import json, os, sys
database, target, project, as_of, *arguments = sys.argv[1:]
os.environ["LLM_SPEND_DUCKDB_PATH"] = database
from dbt.cli.main import dbtRunner
places = ["--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target]
variables = ["--vars", json.dumps({"event_source": "landing", "as_of": as_of})]
result = dbtRunner().invoke([*arguments, *variables, *places, "--log-level", "none", "--threads", "2"])
bad = [(r.node.name, r.message) for r in result.result or [] if str(r.status) not in ("success", "pass")]
assert result.success, bad or result.exception
done = [r for r in result.result if r.node.resource_type in ("model", "test") and r.timing]
begun, ended = min(r.timing[0].started_at for r in done), max(r.timing[-1].completed_at for r in done)
times = {r.node.name: round(r.execution_time, 2) for r in done}
RESULT = {
    "model_seconds": (ended - begun).total_seconds(),
    "summed_seconds": sum(times.values()),
    "slowest": dict(sorted(times.items(), key=lambda t: -t[1])[:12]),
}
"""

ARGUMENTS = {
    "models": ["build", "--exclude-resource-type", "test", "unit_test"],
    "tests": ["test", "--exclude-resource-type", "unit_test"],
    "daily totals": ["build", "--select", "+fct_daily_spend", "--exclude-resource-type", "test", "unit_test"],
}

TAIL = """
import json as _json, os as _os, resource, sys as _sys
# Linux counts what the parent held when it forked into ru_maxrss.
if _os.path.exists("/proc/self/status"):
    _peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1024
else:
    _peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if _sys.platform == "darwin" else 1024)
print(_json.dumps({"peak_mb": _peak, **RESULT}))
"""


def run(script: str, *arguments: object) -> Figures:
    """Run Python code in a process of its own: its `seconds`, its `peak_mb` (MiB), and what it says in RESULT."""
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", f"RESULT = {{}}\n{script}{TAIL}", *map(str, arguments)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-4000:])
    return {"seconds": time.monotonic() - started, **json.loads(done.stdout.strip().splitlines()[-1])}


def load(database: Path, pattern: object, loaded_at: str) -> Figures:
    """Land files as `llm-spend load` does; `load_seconds` are those without the start of Python."""
    return run(LOAD, database, pattern, loaded_at)


def build(database: Path, target: Path, as_of: str, what: str = "models") -> Figures:
    """Run dbt; `model_seconds` go from the start of the first model (or test) to the end of the last."""
    return run(BUILD, database, target, project_dir(), as_of, *ARGUMENTS[what])


def parse(folder: Path) -> Figures:
    """Seconds of `dbt parse` on the demo project, start of Python included: anew, and with nothing changed."""
    anew = [parse_seconds(folder, "--no-partial-parse") for _ in range(3)]
    unchanged = [parse_seconds(folder) for _ in range(3)]
    return {"anew_seconds": min(anew), "unchanged_seconds": min(unchanged)}


def parse_seconds(folder: Path, *flags: str) -> float:
    project = project_dir()
    environment: Mapping[str, str] = {
        **os.environ,
        "LLM_SPEND_DUCKDB_PATH": str(folder / "parse.duckdb"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }
    command: Sequence[object] = [
        *(Path(sys.executable).with_name("dbt"), "--quiet", *flags, "parse"),
        *("--project-dir", project, "--profiles-dir", project),
        *("--target-path", folder / "parse", "--log-path", folder / "parse"),
    ]
    started = time.monotonic()
    subprocess.run([str(part) for part in command], env=environment, check=True, capture_output=True)
    return time.monotonic() - started
