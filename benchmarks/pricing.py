"""How fast the price models cost a log, and how fast the library that is their reference does.

`make bench-pricing`. Ten million synthetic calls in the table that `int_attempts_priced` reads; the models run as dbt
compiles them, in one process; the same process then prices a sample of the same calls with
`genai_prices.calc_price`, and every cost of the sample must be equal. BENCH_ROWS changes the number of calls; only the
default one is written to `benchmarks/results/`.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
DEFAULT_ROWS = 10_000_000
SAMPLE = 20_000
ROUNDS = 3
MEMORY_LIMIT = "3GB"
PRICED = "model.llm_spend.int_attempts_priced"
CALLS = {"model.llm_spend.int_attempts_sequenced", "model.llm_spend.int_usage_events_judged"}

MIX = (
    # provider and model as logged, calls in a thousand, what such a call looks like
    ("openai", "gpt-4o", 60, "chat"),
    ("openai", "gpt-4o-mini", 90, "chat"),
    ("openai", "gpt-4.1", 60, "chat"),
    ("openai", "gpt-4.1-mini", 50, "chat"),
    ("openai", "gpt-5", 40, "reasoning"),
    ("openai", "gpt-5-mini", 60, "reasoning"),
    ("openai", "gpt-5-nano", 30, "reasoning"),
    ("openai", "gpt-5.2", 50, "reasoning"),
    ("openai", "o3", 20, "reasoning"),
    ("openai", "o4-mini", 20, "reasoning"),
    ("openai", "text-embedding-3-small", 40, "embedding"),
    ("openai", "gpt-realtime", 6, "audio"),
    ("openai", "gpt-4o-transcribe", 4, "audio"),
    ("openai", "whisper-1", 5, "audio_seconds"),
    ("openai", "tts-1", 5, "characters"),
    ("anthropic", "claude-sonnet-4-5-20250929", 70, "written"),
    ("anthropic", "claude-opus-4-5", 30, "written"),
    ("anthropic", "claude-haiku-4-5", 50, "written"),
    ("anthropic", "claude-3-5-haiku-latest", 10, "written"),
    ("anthropic", "claude-sonnet-4-20250514", 20, "written"),
    ("anthropic", "claude-sonnet-4-6", 20, "written"),
    ("google", "gemini-2.5-pro", 30, "reasoning"),
    ("google", "gemini-2.5-flash", 50, "reasoning"),
    ("google", "gemini-2.5-flash-lite", 20, "chat"),
    ("google", "gemini-3-pro-preview", 10, "reasoning"),
    ("azure", "gpt-4o", 20, "chat"),
    ("azure", "gpt-4.1-mini", 15, "chat"),
    ("aws", "anthropic.claude-sonnet-4-5-20250929-v1:0", 10, "written"),
    ("aws", "amazon.nova-lite-v1:0", 5, "chat"),
    ("x-ai", "grok-4", 8, "reasoning"),
    ("x-ai", "grok-4.20", 5, "chat"),
    ("mistral", "mistral-large-latest", 5, "chat"),
    ("mistral", "mistral-small-latest", 8, "chat"),
    ("mistral", "mistral-ocr-latest", 4, "pages"),
    ("groq", "llama-3.3-70b-versatile", 10, "chat"),
    ("groq", "openai/gpt-oss-120b", 8, "chat"),
    ("openrouter", "anthropic/claude-sonnet-4.5", 8, "chat"),
    ("openrouter", "meta-llama/llama-3.3-70b-instruct", 4, "chat"),
    ("perplexity", "sonar-pro", 5, "chat"),
    ("together", "meta-llama/Llama-3.3-70B-Instruct-Turbo", 4, "chat"),
    ("moonshotai", "kimi-k2.5", 5, "chat"),
    ("cohere", "command-r-plus", 2, "chat"),
    ("", "gpt-4o-mini", 8, "chat"),
    ("", "claude-sonnet-4-5", 6, "written"),
    ("internal", "acme-reranker-1", 5, "chat"),
    ("", "somebody/finetune-of-llama", 5, "chat"),
)
"""Models whose prices this package corrects are left out: there the library differs."""

USAGE_KEYS = {
    "input_tokens": "input_tokens",
    "cached_input_tokens": "cache_read_tokens",
    "cache_write_tokens": "cache_write_tokens",
    "cache_write_1h_tokens": "cache_write_1h_tokens",
    "input_audio_tokens": "input_audio_tokens",
    "output_tokens": "output_tokens",
    "reasoning_tokens": "output_reasoning_tokens",
    "output_audio_tokens": "output_audio_tokens",
    "web_search_requests": "web_searches",
    "audio_seconds": "audio_seconds",
    "characters": "input_characters",
    "pages": "input_document_pages",
}
"""Quantity of the usage event → usage key of genai-prices."""

CONTEXTS = {
    "default": {"service_tier": "default"},
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}


def main() -> None:
    """Compile the models, run the measurements in a child process, and print and keep what it found."""
    rows = int(os.environ.get("BENCH_ROWS", DEFAULT_ROWS))
    with tempfile.TemporaryDirectory(prefix="llm_spend_bench_") as folder:
        work = Path(folder)
        dbt(work, "seed", "--select", "path:seeds/prices", "path:seeds/config")
        dbt(work, "compile", "--select", "+int_attempts_priced")
        measured = subprocess.run(
            [sys.executable, __file__, "--measure", work, str(rows)], stdout=subprocess.PIPE, text=True, check=True
        )
    result = {"machine": machine(), **json.loads(measured.stdout)}
    sys.stdout.write(table(result) + "\n")
    if rows == DEFAULT_ROWS:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "pricing.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        (RESULTS / "pricing.md").write_text(table(result) + "\n", encoding="utf-8")


def measure(work: Path, rows: int) -> dict[str, object]:
    """Seconds, ratios and peak memory; runs in a process of its own."""
    connection = duckdb.connect(str(work / "bench.duckdb"))
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'; set temp_directory = '{work / 'spill'}'")
    connection.execute("set timezone = 'UTC'")
    generate(connection, rows)
    models = compiled_models(work)
    priced = models.pop(PRICED)["sql"]
    build(connection, models)
    names = [name for name, *_ in connection.execute(f"describe {priced}").fetchall()]
    components = [name for name in names if name.replace("_cost_usd", "_unit_price") in names and "_cost_usd" in name]
    columns = "source, event_id, price_id, cost_status, cost_source, list_cost_usd, cost_usd"
    seconds = {
        "cards": best(lambda: build(connection, models)),
        "floor": written(connection, "select source, event_id, provider from intermediate.int_attempts_sequenced"),
        "components": written(connection, f"select {columns}, {', '.join(components)} from ({priced}) as priced"),
        "costs": written(connection, f"select {columns} from ({priced}) as priced"),
    }
    statuses = dict(
        connection.execute("select cost_status, count(*) from written.out group by 1 order by 2 desc").fetchall()
    )
    return {
        "rows": rows,
        "component_columns": len(components),
        "statuses": statuses,
        "seconds": seconds,
        **against_library(connection, rows, seconds),
        "peak_memory_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 2),
    }


def against_library(
    connection: duckdb.DuckDBPyConnection, rows: int, seconds: Mapping[str, float]
) -> dict[str, object]:
    """Microseconds per call of the library on a sample, and how much faster we are. An unequal cost ends the run."""
    from genai_prices import Usage, calc_price

    quantities = [key for key in USAGE_KEYS if key not in ("audio_seconds", "characters", "pages")]
    calls = connection.execute(
        f"""
        select calls.provider, calls.model, calls.service_tier, calls.started_at, out.cost_status, out.cost_usd,
            {", ".join(quantities)}, calls.other_usage
        from intermediate.int_attempts_sequenced as calls inner join written.out as out using (source, event_id)
        using sample reservoir({SAMPLE} rows) repeatable (7)
        """
    ).fetchall()

    def usage(call: tuple) -> Usage:
        given = {USAGE_KEYS[key]: n for key, n in zip(quantities, call[6:-1], strict=True) if n is not None}
        if call[-1]:
            given |= {USAGE_KEYS[key]: n for key, n in json.loads(call[-1]).items()}
        return Usage(**given)

    def price(call: tuple, quantity: Usage) -> Decimal | None:
        provider, model, tier, started_at = call[:4]
        try:
            return calc_price(
                quantity,
                model,
                provider_id=provider or None,
                genai_request_timestamp=started_at,
                price_context=CONTEXTS[tier],
            ).total_price
        except LookupError:
            return None

    built = [(call, usage(call)) for call in calls]
    prebuilt_seconds = best(lambda: [price(*pair) for pair in built])
    from_row_seconds = best(lambda: [price(call, usage(call)) for call in calls])
    expected = [price(*pair) for pair in built]
    compared = [(call, cost) for call, cost in zip(calls, expected, strict=True) if call[4] != "not_billed"]
    different = [
        (*call[:6], cost)
        for call, cost in compared
        if (call[5] is None) != (cost is None) or (cost is not None and abs(call[5] - cost) > Decimal("1e-9"))
    ]
    if different:
        raise SystemExit(f"{len(different)} of {len(compared)} costs differ from the library's: {different[:5]}")
    microseconds = {
        "library, usage prebuilt": prebuilt_seconds / len(calls) * 1e6,
        "library, from the event row": from_row_seconds / len(calls) * 1e6,
        "costs": seconds["costs"] / rows * 1e6,
        "components": seconds["components"] / rows * 1e6,
        "costs with cards": (seconds["costs"] + seconds["cards"]) / rows * 1e6,
        "components with cards": (seconds["components"] + seconds["cards"]) / rows * 1e6,
    }
    return {
        "sample": len(calls),
        "equal": len(compared),
        "microseconds_per_call": {name: round(value, 3) for name, value in microseconds.items()},
        "times_faster": {
            name: {
                peer: round(microseconds[f"library, {peer}"] / microseconds[name], 1)
                for peer in ("usage prebuilt", "from the event row")
            }
            for name in ("costs", "components", "costs with cards", "components with cards")
        },
    }


def generate(connection: duckdb.DuckDBPyConnection, rows: int) -> None:
    """Calls from May 2025 to October 2026, across price changes: cached, written, reasoned, spoken, in four tiers.

    Tiers other than the default occur from 15 October 2026 on, when the library has them all in force.
    """
    slots = [name for *name, share, kind in MIX for name in [(*name, kind)] * share]
    connection.execute("create schema if not exists intermediate; create schema if not exists written")
    connection.execute("create temp table slots (slot integer, provider varchar, model varchar, kind varchar)")
    connection.execute(
        "insert into slots select unnest($1), unnest($2), unnest($3), unnest($4)",
        [list(range(len(slots))), *(list(values) for values in zip(*slots, strict=True))],
    )
    connection.execute(
        f"""
        create table intermediate.int_attempts_sequenced as
        with drawn as (
            select i, slots.*,
                hash(i * 31 + 1) % 1000000 as a, hash(i * 31 + 2) % 1000000 as b, hash(i * 31 + 3) % 1000000 as c,
                hash(i * 31 + 4) % 1000000 as d, hash(i * 31 + 5) % 1000000 as e
            from range({rows}) as numbers(i)
            inner join slots on hash(i) % {len(slots)} = slot
        ),
        timed as (
            select *,
                timestamp '2025-05-01' + to_seconds(cast(hash(i * 31 + 6) % 46828800 as bigint)) as started_at,
                c < 20000 as has_failed,
                kind in ('audio_seconds', 'characters', 'pages') as has_no_tokens,
                60 + power(a * 1e-6, 4) * 24000 + case when a % 200 = 0 then 200000 else 0 end as drawn_input,
                10 + power(b * 1e-6, 3) * 3000 as drawn_output
            from drawn
        ),
        counted as (
            select *,
                case when not has_failed and not has_no_tokens then cast(drawn_input as bigint) end as input_tokens,
                case when not has_failed and not has_no_tokens and kind != 'embedding'
                    then cast(drawn_output as bigint) end as output_tokens
            from timed
        )
        select
            'app' as source,
            md5(cast(i as varchar)) as event_id,
            provider,
            model,
            case
                when started_at < timestamp '2026-10-15' or provider not in ('openai', 'anthropic', 'google')
                    then 'default'
                when d % 100 < 12 then 'batch'
                when d % 100 < 15 and provider != 'anthropic' then 'flex'
                when d % 100 < 18 and provider != 'anthropic' then 'priority'
                else 'default'
            end as service_tier,
            cast(null as varchar) as speed,
            cast(null as varchar) as region,
            started_at,
            cast(started_at as date) as usage_date_utc,
            case when has_failed then 'rate_limited' else 'success' end as status,
            c >= 990000 as cache_hit,
            input_tokens,
            output_tokens,
            case when kind in ('chat', 'reasoning', 'written') and d < 500000
                then cast(floor(input_tokens * (d * 1e-6)) as bigint) end as cached_input_tokens,
            case when kind = 'written' and e < 300000
                then cast(floor(input_tokens * 0.4) as bigint) end as cache_write_tokens,
            case when kind = 'written' and e < 100000
                then cast(floor(input_tokens * 0.3) as bigint) end as cache_write_1h_tokens,
            case when kind = 'reasoning' then cast(floor(output_tokens * 0.6) as bigint) end as reasoning_tokens,
            case when kind = 'audio' then cast(floor(input_tokens * 0.7) as bigint) end as input_audio_tokens,
            case when kind = 'audio' and model = 'gpt-realtime'
                then cast(floor(output_tokens * 0.8) as bigint) end as output_audio_tokens,
            cast(null as bigint) as input_image_tokens,
            cast(null as bigint) as output_image_tokens,
            cast(null as bigint) as cached_audio_tokens,
            cast(null as bigint) as cached_image_tokens,
            case when provider in ('openai', 'anthropic') and kind in ('chat', 'written', 'reasoning')
                and not has_failed and e >= 980000 then cast(1 + e % 3 as bigint) end as web_search_requests,
            case when has_no_tokens and not has_failed
                then '{{"' || kind || '": ' || cast(1 + a % 900 as varchar) || '}}' end as other_usage,
            cast(null as decimal(28, 12)) as reported_cost_usd
        from counted
        """
    )
    connection.execute(
        "create schema if not exists staging; create view staging.int_usage_events_judged as"
        " select *, started_at as _loaded_at from intermediate.int_attempts_sequenced"
    )


def compiled_models(work: Path) -> dict[str, dict[str, str]]:
    """Name, materialization and SQL of `int_attempts_priced` and of all that it reads but the calls, in order."""
    manifest = json.loads((work / "target" / "manifest.json").read_text("utf-8"))
    parents = manifest["parent_map"]
    nodes = manifest["nodes"]
    wanted = ancestors(PRICED, parents) - CALLS
    ordered = TopologicalSorter({name: parents[name] for name in wanted}).static_order()
    return {
        name: {
            "relation": nodes[name]["relation_name"],
            "materialized": "table" if nodes[name]["config"]["materialized"] == "table" else "view",
            "sql": nodes[name]["compiled_code"],
        }
        for name in ordered
        if name in wanted and name.startswith("model.")
    }


def ancestors(name: str, parents: Mapping[str, list[str]]) -> set[str]:
    """The node and all that it reads, but what the calls are made of: those are generated."""
    return {name}.union(*(ancestors(parent, parents) for parent in parents[name] if name not in CALLS))


def build(connection: duckdb.DuckDBPyConnection, models: Mapping[str, Mapping[str, str]]) -> None:
    """Everything but the costs: the price book, the names of the log resolved, their rate cards."""
    for model in models.values():
        schema = model["relation"].rsplit(".", 1)[0]
        connection.execute(f"create schema if not exists {schema}")
        connection.execute(f"create or replace {model['materialized']} {model['relation']} as {model['sql']}")


def written(connection: duckdb.DuckDBPyConnection, sql: str) -> float:
    """Seconds of the best round of writing the query as a table."""
    return best(lambda: connection.execute(f"create or replace table written.out as {sql}"))


def best(run: Callable[[], object]) -> float:
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - started)
    return round(min(seconds), 3)


def dbt(work: Path, *arguments: str) -> None:
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("dbt"), "--quiet", *arguments),
            *("--project-dir", ROOT, "--profiles-dir", ROOT),
            *("--target-path", work / "target", "--log-path", work / "logs"),
        ],
        env=os.environ
        | {"LLM_SPEND_DUCKDB_PATH": str(work / "bench.duckdb"), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"dbt {arguments[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def machine() -> dict[str, object]:
    from importlib.metadata import version

    names = (
        [
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ]
        if Path("/proc/cpuinfo").exists()
        else []
    )
    return {
        "measured_on": str(datetime.now(UTC).date()),
        "processor": names[0] if names else platform.processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "duckdb": version("duckdb"),
        "genai-prices": version("genai-prices"),
    }


def table(result: Mapping[str, object]) -> str:
    """The figures as Markdown."""
    rows, seconds, faster = result["rows"], result["seconds"], result["times_faster"]
    microseconds = result["microseconds_per_call"]
    lines = [
        "<!-- written by `make bench-pricing` -->",
        f"{rows:,} calls on {result['machine']['cores']} cores ({result['machine']['processor']},"
        f" {result['machine']['memory_gb']} GB, {result['machine']['system']}), {result['machine']['measured_on']}:"
        f" DuckDB {result['machine']['duckdb']}, Python {result['machine']['python']},"
        f" genai-prices {result['machine']['genai-prices']}. Best of {ROUNDS}; peak memory of the process"
        f" {result['peak_memory_gb']} GB.",
        "",
        "| | seconds | µs per call | faster than the library, usage prebuilt | from the event row |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, label in (
        ("costs", "key, price_id, status and costs, as a table"),
        ("components", f"the same with the {result['component_columns']} component costs"),
        ("costs with cards", "costs, names resolved and rate cards built first"),
        ("components with cards", "components, names resolved and rate cards built first"),
    ):
        total = seconds[name.split()[0]] + (seconds["cards"] if name.endswith("cards") else 0)
        lines.append(
            f"| {label} | {total:.1f} | {microseconds[name]:.2f} | {faster[name]['usage prebuilt']:.0f} ×"
            f" | {faster[name]['from the event row']:.0f} × |"
        )
    lines += [
        f"| floor: the key columns copied | {seconds['floor']:.1f} | {seconds['floor'] / rows * 1e6:.2f} | | |",
        *(
            f"| `genai_prices.calc_price`, {peer} | | {microseconds[f'library, {peer}']:.1f} | | |"
            for peer in ("usage prebuilt", "from the event row")
        ),
        "",
        f"Equal to the library's cost in {result['equal']:,} of {result['equal']:,} billed calls of a sample of"
        f" {result['sample']:,}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        sys.stdout.write(json.dumps(measure(Path(sys.argv[2]), int(sys.argv[3]))))
    else:
        main()
