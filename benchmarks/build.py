"""Full build and one more day on generated events, beside a hand-written script that does the least: `make bench`.

Each step is a process of its own; times of models are dbt's own, memory is the process' peak.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from events import FIRST_DAY, MODELS, write_events

from llm_spend.paths import project_dir

HISTORY_DAYS = 60
RESULTS = Path(__file__).parent / "results"

FLOOR = """
    create table attempts as
    with deliveries as (
        select *, row_number() over (partition by event_id order by started_at desc) as delivery
        from read_parquet('{events}')
    ),
    priced as (
        select
            deliveries.*, prices.price_id,
            cast((input_tokens - coalesce(cached_input_tokens, 0)) * prices.input_price as decimal(28, 12))
                as input_cost_usd,
            cast(coalesce(cached_input_tokens, 0) * prices.cached_price as decimal(28, 12)) as cached_input_cost_usd,
            cast(output_tokens * prices.output_price as decimal(28, 12)) as output_cost_usd
        from deliveries
        left join prices using (provider, model)
        where delivery = 1
    )
    select *, cast(input_cost_usd + cached_input_cost_usd + output_cost_usd as decimal(28, 12)) as cost_usd from priced;

    create table tenant_daily as
    select tenant_id, cast(started_at as date) as day, count(*) as attempts, sum(cost_usd) as cost_usd
    from attempts group by 1, 2;
"""


def run(script: str, *arguments: object) -> dict[str, float]:
    """Run Python code in a process of its own: wall seconds, peak memory in MB, and what it prints as JSON."""
    tail = (
        "\nimport resource, json as _json\n"
        "print(_json.dumps({'peak_mb': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **RESULT}))"
    )
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", "RESULT = {}\n" + script + tail, *map(str, arguments)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-4000:])
    return {"seconds": time.monotonic() - started, **json.loads(done.stdout.strip().splitlines()[-1])}


LOAD = """
import sys
from datetime import datetime
from pathlib import Path
from llm_spend.ingest.load import load
load(Path(sys.argv[1]), [sys.argv[2]], None, datetime.fromisoformat(sys.argv[3]))
"""

BUILD = """
import json, os, sys
database, target, project, as_of, kind = sys.argv[1:]
os.environ["LLM_SPEND_DUCKDB_PATH"] = database
from dbt.cli.main import dbtRunner
places = ["--project-dir", project, "--profiles-dir", project, "--target-path", target, "--log-path", target]
variables = ["--vars", json.dumps({"event_source": "landing", "as_of": as_of})]
arguments = {
    "models": ["build", "--exclude-resource-type", "test", "unit_test"],
    "tests": ["test", "--exclude-resource-type", "unit_test"],
}[kind]
result = dbtRunner().invoke([*arguments, *variables, *places, "--log-level", "none", "--threads", "2"])
assert result.success, [(r.node.name, r.message) for r in result.result if str(r.status) not in ("success", "pass")]
done = [r for r in result.result if r.node.resource_type in ("model", "test") and r.timing]
begun, ended = min(r.timing[0].started_at for r in done), max(r.timing[-1].completed_at for r in done)
times = {r.node.name: round(r.execution_time, 2) for r in done}
RESULT = {
    "model_seconds": (ended - begun).total_seconds(),
    "slowest": dict(sorted(times.items(), key=lambda t: -t[1])[:12]),
}
"""

FLOOR_SCRIPT = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1], config={"storage_compatibility_version": "v1.4.0"})
connection.execute("create table prices (provider text, model text, price_id text, input_price decimal(17, 12),"
    " cached_price decimal(17, 12), output_price decimal(17, 12))")
connection.executemany("insert into prices values (?, ?, md5(?), 0.000002, 0.0000005, 0.000008)",
    [(*pair.split("/"), pair) for pair in sys.argv[3].split(",")])
started = time.monotonic()
connection.execute(open(sys.argv[2]).read())
connection.close()
RESULT = {"model_seconds": time.monotonic() - started}
"""


def bench(rows: int, folder: Path) -> dict[str, object]:
    """Figures of one history size."""
    history, day, database = folder / "history.parquet", folder / "day.parquet", folder / "warehouse.duckdb"
    write_events(history, rows, HISTORY_DAYS)
    write_events(day, rows // 100, 1, first_day=HISTORY_DAYS)
    floor_sql = folder / "floor.sql"
    floor_sql.write_text(FLOOR.format(events=history))
    figures: dict[str, object] = {"rows": rows}
    figures["floor"] = run(FLOOR_SCRIPT, folder / "floor.duckdb", floor_sql, ",".join(map("/".join, MODELS)))
    figures["load"] = run(LOAD, database, history, "2026-10-02T00:00:00+00:00")
    target, project = folder / "target", project_dir()
    first, second = "2026-10-02 00:00:00", "2026-10-03 00:00:00"
    figures["full"] = run(BUILD, database, target, project, first, "models")
    figures["tests"] = run(BUILD, database, target, project, first, "tests")
    figures["nothing"] = run(BUILD, database, target, project, first, "models")
    figures["load_day"] = run(LOAD, database, day, "2026-10-02T06:00:00+00:00")
    figures["day"] = run(BUILD, database, target, project, second, "models")
    figures["bytes"] = database.stat().st_size
    with duckdb.connect(str(database), read_only=True) as connection:
        figures["tables"] = dict(
            connection.execute(
                "select table_name, estimated_size from duckdb_tables() where schema_name = 'marts'"
                " order by 2 desc limit 8"
            ).fetchall()
        )
    return figures


def main() -> None:
    sizes = [int(size) for size in os.environ.get("BENCH_ROWS", "1000000,10000000").split(",")]
    results = {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        "duckdb": duckdb.__version__,
        "first_day": str(FIRST_DAY),
    }
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="llm_spend_bench_") as folder:
            results[str(size)] = bench(size, Path(folder))
        sys.stdout.write(json.dumps(results[str(size)], indent=1) + "\n")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "build.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
