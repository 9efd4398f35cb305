"""The same events priced by others: genai-prices and litellm (Python, one call per event) and ccusage (native, JSONL).

litellm and ccusage are installed into temporary directories for the run. What cannot be installed or run, or takes too
long, is reported as not measured; it never fails the benchmark.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import steps
from steps import Figures

SAMPLE = 20_000
SESSION_EVENTS = 10_000_000
"""ccusage reads at most so many events: a hundred million are 30 GB of JSON."""

LITELLM = "litellm==1.106.2"
CCUSAGE = "20.0.24"
INSTALL_SECONDS, PRICE_SECONDS, CCUSAGE_SECONDS = 600, 600, 1800
CCUSAGE_ROUNDS = 3
LOADED_AT, AS_OF = "2026-10-02T00:00:00+00:00", "2026-10-02 00:00:00"


class NotMeasuredError(Exception):
    """Why a figure is missing, in a few words."""


def against_peers(rows: int, history: Path, database: Path, folder: Path) -> Figures:
    """Figures of each peer by its name, or {"not_measured": why}. Takes the warehouse that was built from `history`."""
    sample = folder / "sample.parquet"
    write_sample(history, database, sample)
    return {
        "genai-prices": attempt(lambda: price_sample("genai-prices", sample)),
        "litellm": attempt(lambda: litellm(sample, folder / "litellm")),
        "ccusage": attempt(lambda: ccusage(min(rows, SESSION_EVENTS), history, folder / "ccusage")),
    }


def attempt(measure: Callable[[], Figures]) -> Figures:
    """What is measured, or why it could not be."""
    try:
        return measure()
    except NotMeasuredError as reason:
        return {"not_measured": str(reason)}
    except (OSError, ValueError, KeyError, duckdb.Error, SystemExit) as error:
        sys.stderr.write(f"{error}\n")
        return {"not_measured": f"{type(error).__name__}, see the console of the run"}


def write_sample(history: Path, database: Path, sample: Path) -> None:
    """Some of the events with the cost that the warehouse gave them."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute(
            f"""
            copy (
                with events as (
                    select distinct on (event_id) * from read_parquet('{history}')
                    using sample reservoir({SAMPLE} rows) repeatable (7)
                )
                select events.*, attempts.cost_usd
                from events inner join marts.fct_llm_attempts as attempts using (event_id)
                where attempts.input_tokens is not null and attempts.output_tokens is not null
                order by events.started_at
            ) to '{sample}' (format parquet)
            """
        )


def price_sample(library: str, sample: Path, installed: Path | None = None) -> Figures:
    """Microseconds per event of a Python library, in a process of its own."""
    paths = [str(installed)] if installed else []
    script = Path(__file__).with_name("price_sample.py")
    output = completed(
        library,
        [sys.executable, script, library, sample],
        PRICE_SECONDS,
        {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
    )
    return json.loads(output.splitlines()[-1])


def litellm(sample: Path, place: Path) -> Figures:
    try:
        install = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", place, LITELLM]
        completed("installing litellm", install, INSTALL_SECONDS)
        return price_sample("litellm", sample, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def ccusage(events: int, history: Path, place: Path) -> Figures:
    """Both ways from JSONL to daily totals, in seconds, and whether their totals are the same."""
    try:
        binary = installed_ccusage(place / "npm")
        theirs = place / "claude"
        write_sessions(history, events, theirs / "projects")
        empty = place / "empty"
        (empty / "projects").mkdir(parents=True)
        start = min(ccusage_daily(binary, empty)[0] for _ in range(CCUSAGE_ROUNDS))
        rounds = [ccusage_daily(binary, theirs) for _ in range(CCUSAGE_ROUNDS)]
        seconds = min(seconds for seconds, _ in rounds) - start
        shutil.rmtree(theirs)
        ours = daily_totals(history, events, place)
        days = rounds[-1][1]
        return {
            "version": CCUSAGE,
            "events": ours["events"],
            "start_seconds": start,
            "seconds": seconds,
            "events_per_second": ours["events"] / seconds,
            "ours": ours["figures"],
            "ours_seconds": ours["seconds"],
            "ours_events_per_second": ours["events"] / ours["seconds"],
            "ours_process_seconds": ours["process_seconds"],
            "same_tokens": ours["tokens"] == {day: tokens for day, (tokens, _) in days.items()},
            "cost_usd": sum(cost for _, cost in days.values()),
            "ours_cost_usd": ours["cost_usd"],
        }
    finally:
        shutil.rmtree(place, ignore_errors=True)


def installed_ccusage(place: Path) -> Path:
    """The native binary of this platform, called without its JavaScript wrapper: the fastest it can be."""
    npm = shutil.which("npm")
    if npm is None:
        raise NotMeasuredError("npm is not installed")
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    install = [npm, "install", "--prefix", place, *quiet, f"ccusage@{CCUSAGE}"]
    completed("installing ccusage", install, INSTALL_SECONDS)
    binaries = sorted(place.glob("node_modules/@ccusage/*/bin/ccusage"))
    if not binaries:
        raise NotMeasuredError("ccusage has no binary for this platform")
    binaries[0].chmod(0o755)
    return binaries[0]


def ccusage_daily(binary: Path, directory: Path) -> tuple[float, dict[str, tuple[tuple[int, ...], float]]]:
    """Seconds of the process, and by day: tokens (input without cached, cached, output) and US dollars."""
    environment = {"CLAUDE_CONFIG_DIR": str(directory), "HOME": str(directory), "PATH": os.environ["PATH"]}
    started = time.monotonic()
    command = [binary, "claude", "daily", "--offline", "--json", "--timezone", "UTC"]
    output = completed("ccusage", command, CCUSAGE_SECONDS, environment)
    seconds = time.monotonic() - started
    names = ("inputTokens", "cacheReadTokens", "outputTokens")
    days = {day["date"]: (tuple(day[name] for name in names), day["totalCost"]) for day in json.loads(output)["daily"]}
    return seconds, days


def write_sessions(history: Path, events: int, place: Path) -> None:
    """Claude Code session files, one for each day. A message's id and request id make it one call, as ours do."""
    write_jsonl(
        f"""
        select
            'assistant' as type,
            strftime(started_at, '%Y-%m-%dT%H:%M:%S.%gZ') as timestamp,
            external_request_id as "requestId",
            {{
                'id': event_id,
                'model': model,
                'usage': {{
                    'input_tokens': input_tokens - coalesce(cached_input_tokens, 0),
                    'output_tokens': output_tokens,
                    'cache_creation_input_tokens': 0,
                    'cache_read_input_tokens': coalesce(cached_input_tokens, 0)
                }}
            }} as message,
            cast(started_at as date) as day
        from (select * from read_parquet('{history}') limit {events})
        """,
        place,
    )


def daily_totals(history: Path, events: int, place: Path) -> Figures:
    """Ours, from JSONL of the usage event that says what a session file says, to the totals of each day."""
    files, database = place / "ours", place / "ours.duckdb"
    write_jsonl(
        f"""
        select
            event_id, strftime(started_at, '%Y-%m-%dT%H:%M:%S.%gZ') as started_at, external_request_id, model,
            input_tokens, output_tokens, coalesce(cached_input_tokens, 0) as cached_input_tokens,
            cast(started_at as date) as day
        from (select * from read_parquet('{history}') limit {events})
        """,
        files,
    )
    loaded = steps.load(database, files / "*" / "*.jsonl", LOADED_AT)
    built = steps.build(database, place / "target", AS_OF, "daily totals")
    started = time.monotonic()
    with duckdb.connect(str(database), read_only=True) as connection:
        days = connection.execute(
            "select usage_date, sum(input_tokens - cached_input_tokens), sum(cached_input_tokens), sum(output_tokens),"
            " sum(cost_usd) from marts.fct_daily_spend group by usage_date"
        ).fetchall()
    asked = time.monotonic() - started
    with duckdb.connect(str(database), read_only=True) as connection:
        (lines,) = connection.execute("select count(*) from raw.raw_usage_events").fetchone()
    return {
        "events": lines,
        "figures": {"load": loaded, "build": built},
        "seconds": loaded["load_seconds"] + built["model_seconds"] + asked,
        "process_seconds": loaded["seconds"] + built["seconds"] + asked,
        "tokens": {str(day): tuple(map(int, tokens)) for day, *tokens, _ in days},
        "cost_usd": float(sum(cost for *_, cost in days)),
    }


def write_jsonl(query: str, place: Path) -> None:
    """Write a query as compact JSON lines, a folder and file for each `day`."""
    place.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '4GB'; set temp_directory = '{place.with_suffix('.spill')}'")
        connection.execute(f"copy ({query}) to '{place}' (format json, partition_by (day), file_extension 'jsonl')")


def completed(what: str, command: list[object], seconds: float, environment: dict[str, str] | None = None) -> str:
    """What a command prints; its failure, or more than so many seconds, is a NotMeasuredError that says `what`."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotMeasuredError(f"{what} took more than {seconds:.0f} s") from None
    if done.returncode:
        # The figures are published: what may name a path or a registry stays on the console.
        sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:])
        raise NotMeasuredError(f"{what} failed with exit code {done.returncode}")
    return done.stdout
