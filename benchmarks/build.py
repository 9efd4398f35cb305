"""Load and build generated events, a day more, and a batch, beside the least a script can do: `make bench`.

Other tools price the same events in the same run (peers.py). BENCH_ROWS lists the history sizes; a run with ten
million rows or more is kept in `benchmarks/results/`, in README.md and in docs/scaling.md. A smaller one is printed.
"""

import os
import platform
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import duckdb
import report
import steps
from events import MODELS, write_events
from peers import against_peers
from steps import Figures

HISTORY_DAYS = 60
BATCH_ROWS = 10_000
KEPT_FROM_ROWS = 10_000_000

FIRST_LOAD, FIRST_BUILD = "2026-10-02T00:00:00+00:00", "2026-10-02 00:00:00"
DAY_LOAD, DAY_BUILD = "2026-10-02T06:00:00+00:00", "2026-10-03 00:00:00"
BATCH_LOAD, BATCH_BUILD = "2026-10-03T05:00:00+00:00", "2026-10-03 06:00:00"

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

FLOOR_SCRIPT = """
import sys, time, duckdb
database, script, pairs, memory_limit = sys.argv[1:]
connection = duckdb.connect(
    database, config={"storage_compatibility_version": "v1.4.0", "memory_limit": memory_limit})
connection.execute("create table prices (provider text, model text, price_id text, input_price decimal(17, 12),"
    " cached_price decimal(17, 12), output_price decimal(17, 12))")
connection.executemany("insert into prices values (?, ?, md5(?), 0.000002, 0.0000005, 0.000008)",
    [(*pair.split("/"), pair) for pair in pairs.split(",")])
started = time.monotonic()
connection.execute(open(script).read())
connection.close()
RESULT = {"model_seconds": time.monotonic() - started}
"""


def main() -> None:
    """Measure every size, print the tables, and keep the figures of a run that is large enough."""
    sizes = [int(size) for size in os.environ.get("BENCH_ROWS", "1000000,10000000").split(",")]
    measured: dict[int, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="llm_spend_bench_") as folder:
        shared = {"machine": machine(), "parse": steps.parse(Path(folder))}
    for rows in sizes:
        with tempfile.TemporaryDirectory(prefix="llm_spend_bench_") as folder:
            measured[rows] = {"rows": rows, **shared, **bench(rows, Path(folder))}
        sys.stdout.write(report.tables({rows: measured[rows]}) + "\n\n")
        sys.stdout.flush()
    if max(sizes) >= KEPT_FROM_ROWS:
        report.keep(measured)


def bench(rows: int, folder: Path) -> Figures:
    """Figures of one history size: seconds, MiB of peak memory, bytes and rows."""
    history, day, batch = folder / "history.parquet", folder / "day.parquet", folder / "batch.parquet"
    database, target = folder / "warehouse.duckdb", folder / "target"
    write_events(history, rows, HISTORY_DAYS)
    write_events(day, rows // 100, 1, first_day=HISTORY_DAYS, first_number=rows)
    write_events(batch, BATCH_ROWS, 1, first_day=HISTORY_DAYS, first_number=rows + rows // 100)
    figures: Figures = {"parquet_bytes": history.stat().st_size, "floor": floor(history, folder)}
    figures["load"] = steps.load(database, history, FIRST_LOAD)
    figures["landed_bytes"] = database.stat().st_size
    figures["full"] = steps.build(database, target, FIRST_BUILD)
    figures["warehouse_bytes"] = database.stat().st_size
    figures["tables"] = table_sizes(database)
    figures["tests"] = steps.build(database, target, FIRST_BUILD, "tests")
    figures["nothing"] = steps.build(database, target, FIRST_BUILD)
    figures["load_day"] = steps.load(database, day, DAY_LOAD)
    figures["day"] = steps.build(database, target, DAY_BUILD)
    figures["load_batch"] = steps.load(database, batch, BATCH_LOAD)
    figures["batch"] = steps.build(database, target, BATCH_BUILD)
    figures["warehouse_bytes_at_the_end"] = database.stat().st_size
    figures["peers"] = against_peers(rows, history, database, folder)
    return figures


def floor(history: Path, folder: Path) -> Figures:
    """The least: the newest delivery of each event, priced by one join, and one daily total. No history, no tests."""
    script, database = folder / "floor.sql", folder / "floor.duckdb"
    script.write_text(FLOOR.format(events=history), encoding="utf-8")
    pairs = ",".join(map("/".join, MODELS))
    figures = steps.run(FLOOR_SCRIPT, database, script, pairs, steps.MEMORY_LIMIT)
    figures["bytes"] = database.stat().st_size
    database.unlink()
    return figures


def table_sizes(database: Path) -> dict[str, dict[str, int]]:
    """Rows and bytes (of the blocks that hold their columns) of the landed events and each mart, most rows first."""
    with duckdb.connect(str(database), read_only=True) as connection:
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where schema_name = 'marts' or table_name = 'raw_usage_events'"
        ).fetchall()
        (block_bytes,) = connection.execute("select block_size from pragma_database_size()").fetchone()
        sizes = {}
        for schema, name in names:
            (rows,) = connection.execute(f"select count(*) from {schema}.{name}").fetchone()
            (blocks,) = connection.execute(
                "select count(distinct block_id) from ("
                f" select block_id from pragma_storage_info('{schema}.{name}') where persistent"
                f" union all select unnest(additional_block_ids) from pragma_storage_info('{schema}.{name}'))"
                " where block_id >= 0"
            ).fetchone()
            sizes[name] = {"rows": rows, "bytes": blocks * block_bytes}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]["rows"]))


def machine() -> Figures:
    """What the figures depend on; sizes in GiB."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "measured_on": str(datetime.now(UTC).date()),
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3),
        "memory_limit": steps.MEMORY_LIMIT,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "Python": platform.python_version(),
            **{name: version(name) for name in ("duckdb", "dbt-core", "dbt-duckdb")},
        },
    }


if __name__ == "__main__":
    main()
