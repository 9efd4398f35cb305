"""The same million calls on each engine, beside DuckDB: landing, a full build, one more day, nothing new. Models only.

An engine is started as tests/engines starts it, with the settings of a small machine, of which Postgres, ClickHouse and
Spark would want more. Only Spark compiles its queries here and uses both cores, which a test's few rows do not repay.
Memory is what all processes of an engine and dbt hold together (proportional set size, so that shared pages count
once), sampled twice a second.
"""

import json
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import duckdb

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
RESULTS = HERE / "results"
sys.path[:0] = [str(ROOT / "tests" / "engines"), str(HERE)]

from build import machine  # noqa: E402
from events import write_events  # noqa: E402
from report import markdown  # noqa: E402

import landing  # noqa: E402
from llm_spend.ingest.load import load  # noqa: E402
from servers import ENGINES, Engine  # noqa: E402
from servers.spark import FOR_MILLIONS, spark_thrift_engine  # noqa: E402

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
DAYS = 60
CHOSEN = os.environ.get("BENCH_ENGINES", "duckdb,clickhouse,postgres,spark-thrift").split(",")
VARIABLES = {"event_source": "landing", "config_source": "own", "as_of": "2026-10-02 00:00:00"}
TABLE = "raw.raw_usage_events"
STARTED = ENGINES | {"spark-thrift": partial(spark_thrift_engine, tuning=FOR_MILLIONS)}


def golden_runner() -> object:
    """tests/engines/run, which is a script without a suffix."""
    loader = SourceFileLoader("golden_runner", str(ROOT / "tests" / "engines" / "run"))
    module = module_from_spec(spec_from_loader(loader.name, loader))
    sys.modules[loader.name] = module
    loader.exec_module(module)
    return module


def land(engine: Engine, rows: Path) -> None:
    """The typed rows of a Parquet file into the landing table, the way that the engine takes many."""
    with duckdb.connect() as connection:
        columns = [name for name, *_ in connection.execute(f"describe select * from '{rows}'").fetchall()]
        if engine.target == "postgres":
            connection.execute(f"copy (select * from '{rows}') to '{rows.with_suffix('.csv')}' (header false)")
    names = ", ".join(columns)
    if engine.target == "postgres":
        import psycopg2

        where = {
            name: engine.environment[f"LLM_SPEND_POSTGRES_{name.upper()}"]
            for name in ("host", "port", "user", "password")
        }
        with psycopg2.connect(dbname="llm_spend", **where) as connection, rows.with_suffix(".csv").open("rb") as file:
            connection.cursor().copy_expert(f"copy {TABLE} ({names}) from stdin (format csv)", file)
        engine.execute(f"analyze {TABLE}")
    elif engine.target == "clickhouse":
        import clickhouse_connect

        where = {
            name: engine.environment[f"LLM_SPEND_CLICKHOUSE_{name.upper()}"] for name in ("host", "port", "password")
        }
        client = clickhouse_connect.get_client(
            username="default", autogenerate_session_id=False, compress=False, **where
        )
        client.raw_insert(TABLE, column_names=columns, insert_block=rows.read_bytes(), fmt="Parquet")
    elif engine.target == "spark":
        _, described = engine.query(f"describe {TABLE}")
        types = {row[0]: row[1] for row in described}
        casts = ", ".join(f"cast({name} as {types[name]})" for name in columns)
        engine.execute(f"insert into {TABLE} ({names}) select {casts} from parquet.`{rows}`")
    else:
        engine.execute(f"insert into {TABLE} ({names}) select * from '{rows}'")


@contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """MiB that all processes begun by this one held together at most."""
    peak, is_over = 0.0, threading.Event()

    def sample() -> None:
        nonlocal peak
        while not is_over.wait(0.5):
            peak = max(peak, held_by_descendants())

    watcher = threading.Thread(target=sample, daemon=True)
    watcher.start()
    try:
        yield lambda: peak
    finally:
        is_over.set()
        watcher.join()


def held_by_descendants() -> float:
    parents, held = {}, {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            status = (process / "status").read_text()
            parents[int(process.name)] = int(status.split("PPid:")[1].split()[0])
            held[int(process.name)] = int((process / "smaps_rollup").read_text().split("Pss:")[1].split()[0]) / 1024
        except (OSError, IndexError):
            continue
    own, total = {os.getpid()}, 0.0
    # a parent's number may be larger than its child's
    while found := {child for child, parent in parents.items() if parent in own} - own:
        own |= found
        total += sum(held.get(child, 0) for child in found)
    return total


def bench(name: str, history: Path, day: Path) -> dict[str, float]:
    runner = golden_runner()
    with tempfile.TemporaryDirectory(prefix="llm_spend_") as folder_name, STARTED[name](Path(folder_name)) as engine:
        folder = Path(folder_name)
        shutil.copytree(ROOT / "seeds" / "config", folder / "config")
        landing.create(engine)
        figures = {}
        for step, work in {
            "landing": lambda: land(engine, history),
            "full build": lambda: runner.dbt(engine, folder, runner.BUILD, VARIABLES),
            "one more day": lambda: (land(engine, day), runner.dbt(engine, folder, runner.BUILD, VARIABLES)),
            "nothing new": lambda: runner.dbt(engine, folder, runner.BUILD, VARIABLES),
        }.items():
            with peak_memory() as peak:
                started = time.monotonic()
                work()
                figures[step] = round(time.monotonic() - started, 1)
                figures[f"{step}, peak MB"] = round(peak())
            print(f"{name}: {step} {figures[step]} s, {figures[f'{step}, peak MB']} MB", flush=True)  # noqa: T201
        _, ((attempts, cost),) = engine.query("select count(*), sum(cost_usd) from marts.fct_llm_attempts")
        return figures | {"attempts": int(attempts), "cost_usd": str(cost)}


def typed_rows(folder: Path, name: str, **span: int) -> Path:
    """Events as `llm-spend load` types them, as one Parquet file."""
    log, rows = folder / f"{name}_log.parquet", folder / f"{name}.parquet"
    write_events(log, **span)
    load(folder / f"{name}.duckdb", [str(log)], None, datetime(2026, 10, 1))
    with duckdb.connect(str(folder / f"{name}.duckdb"), read_only=True) as connection:
        connection.execute(f"copy {TABLE} to '{rows}'")
    return rows


def table(measured: dict[str, dict[str, float]]) -> str:
    steps = ("landing", "full build", "one more day", "nothing new")
    base = measured["duckdb"]
    lines = []
    for name, figures in measured.items():
        times = [f"{figures[step]:.0f} s ({figures[step] / base[step]:.1f} ×)" for step in steps]
        lines.append([name, *times, f"{max(figures[f'{step}, peak MB'] for step in steps) / 1024:.1f} GB"])
    return markdown(["engine", *steps, "peak, all processes"], lines)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="llm_spend_") as name:
        folder = Path(name)
        history = typed_rows(folder, "history", rows=ROWS, days=DAYS)
        day = typed_rows(folder, "day", rows=ROWS // DAYS, days=1, first_day=DAYS, first_number=ROWS + 10)
        measured = {}
        for engine in CHOSEN:
            measured[engine] = bench(engine, history, day)
            keep(measured)
    print((RESULTS / "engines.md").read_text())  # noqa: T201


def keep(measured: dict[str, dict[str, float]]) -> None:
    """Written after each engine: the last one takes longer than all before it."""
    (RESULTS / "engines.json").write_text(
        json.dumps({"machine": machine(), "rows": ROWS, "days": DAYS, "engines": measured}, indent=2) + "\n"
    )
    same = {(figures["attempts"], figures["cost_usd"]) for figures in measured.values()}
    said = "the same sum of costs on all" if len(same) == 1 else f"NOT the same on all: {same}"
    heading = f"{ROWS:,} calls of {DAYS} days, and one day more; {said}."
    (RESULTS / "engines.md").write_text(f"{heading}\n\n{table(measured)}\n")


if __name__ == "__main__":
    main()
