"""What `make bench` measured, as Markdown and as a picture, and put where it belongs: no figure is typed by hand."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from picture import plot
from steps import Figures

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
JUDGED_ROWS = 10_000_000
"""The aims are meant for this size; without it the largest one is judged."""

SHOWN_MODELS = SHOWN_TABLES = 8
STEPS = ("load", "full", "tests", "nothing", "load_day", "day", "load_batch", "batch")
STEP_NAMES = {
    "full": "full build",
    "tests": "data tests",
    "nothing": "nothing new",
    "load_day": "load of the day",
    "day": "build of the day",
    "load_batch": "load of the batch",
    "batch": "build of the batch",
}
ROLL_UPS = ("fct_daily_spend", "fct_hourly_spend", "fct_daily_requests", "entity_daily_spend", "tenant_daily_spend")
LIBRARIES = ("genai-prices", "litellm")
DAY_SECONDS = 86_400
HUNDRED_MILLION, BILLION = 100_000_000, 1_000_000_000
DAYS_KEPT = 35

Sizes = Mapping[int, Figures]


def keep(measured: Sizes) -> None:
    """Write results, the picture and the tables of README.md and docs/scaling.md. Sizes of earlier runs stay."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "build.json"
    earlier = json.loads(file.read_text("utf-8")).get("sizes", {}) if file.exists() else {}
    sizes = dict(sorted({**{int(rows): figures for rows, figures in earlier.items()}, **measured}.items()))
    file.write_text(json.dumps({"sizes": sizes}, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "build.md").write_text(f"<!-- written by `make bench` -->\n{tables(sizes)}\n", encoding="utf-8")
    (RESULTS / "build.svg").write_text(plot(sizes), encoding="utf-8")
    fill(ROOT / "benchmarks" / "README.md", "aims", f"{aims(sizes)}\n\n{steps_table(sizes)}")
    fill(ROOT / "docs" / "scaling.md", "growth", growth(sizes))
    fill(ROOT / "docs" / "scaling.md", "hundred", hundred_million(sizes))
    fill(ROOT / "docs" / "scaling.md", "billion", billion(sizes))


def fill(file: Path, name: str, text: str) -> None:
    """Replace what stands between the markers of that name."""
    begin, end = f"<!-- {name}: written by make bench -->", f"<!-- end of {name} -->"
    before, found, rest = file.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{file.name} has no markers '{begin}' and '{end}'")
    file.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def tables(sizes: Sizes) -> str:
    """Everything that was measured."""
    parts = [aims(sizes), steps_table(sizes)]
    for rows, figures in sizes.items():
        parts += [f"## {rows:,} rows", slowest_models(figures), largest_tables(figures), peers(figures)]
    return "\n\n".join(parts)


def machine_line(figures: Figures) -> str:
    machine = figures["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gb']} GB, {machine['system']},"
        f" {machine['measured_on']}; {versions}; memory limit of DuckDB {machine['memory_limit']}."
    )


def aims(sizes: Sizes) -> str:
    """Each aim with its measured value, at the size it is meant for."""
    rows = JUDGED_ROWS if JUDGED_ROWS in sizes else max(sizes)
    figures = sizes[rows]
    batch_seconds = landed_batch_seconds(figures)
    rivals = {name: figures["peers"][name] for name in LIBRARIES}
    ccusage = figures["peers"]["ccusage"]
    parse_seconds = figures["parse"]["anew_seconds"]
    judged = [
        at_most("full build, model time", 3, full_over_floor(figures), "{:.1f} × the floor"),
        at_most("data tests", 1, tests_over_floor(figures), "{:.1f} × the floor"),
        at_most("peak memory of any step", 6, peak_gb(figures), "{:.1f} GB"),
        at_most(
            "one more day (1 % of the rows), model time", 5, 100 * day_share(figures), "{:.1f} % of the full build"
        ),
        at_most("10,000 landed events in every mart", 60, batch_seconds, "{:.0f} s"),
        *(
            at_least(f"per event, against {name} end to end", 15, library_ratio(figures, rival), "{:.1f} ×")
            if "microseconds" in rival
            else missing(f"per event, against {name} end to end", "≥ 15 ×", rival)
            for name, rival in rivals.items()
        ),
        at_least("JSONL to daily totals, against ccusage", 1, ccusage_ratio(ccusage), "{:.2f} ×")
        if "events" in ccusage
        else missing("JSONL to daily totals, against ccusage", "≥ 1 ×", ccusage),
        at_most("`dbt parse`, nothing kept from before", 10, parse_seconds, "{:.1f} s"),
    ]
    table = markdown(["aim", "limit", "measured", "met"], judged, aligned="lrrl")
    return f"{rows:,} rows. {machine_line(figures)}\n\n{table}"


def at_most(aim: str, limit: float, value: float, form: str) -> list[str]:
    return [aim, f"≤ {form.format(limit).replace('.0', '')}", form.format(value), "yes" if value <= limit else "**no**"]


def at_least(aim: str, limit: float, value: float, form: str) -> list[str]:
    return [aim, f"≥ {limit} ×", form.format(value), "yes" if value >= limit else "**no**"]


def missing(aim: str, limit: str, rival: Figures) -> list[str]:
    return [aim, limit, f"not measured: {rival['not_measured']}", ""]


def full_over_floor(figures: Figures) -> float:
    return figures["full"]["model_seconds"] / figures["floor"]["model_seconds"]


def tests_over_floor(figures: Figures) -> float:
    return figures["tests"]["model_seconds"] / figures["floor"]["model_seconds"]


def day_share(figures: Figures) -> float:
    return figures["day"]["model_seconds"] / figures["full"]["model_seconds"]


def peak_gb(figures: Figures) -> float:
    """GiB of the step that took most."""
    return max(figures[step]["peak_mb"] for step in STEPS) / 1024


def landed_batch_seconds(figures: Figures) -> float:
    """Both processes whole: landing, then dbt from its start to its end."""
    return figures["load_batch"]["seconds"] + figures["batch"]["seconds"]


def microseconds_per_event(figures: Figures) -> float:
    """Ours, end to end: the process that loads, and all models."""
    return (figures["load"]["seconds"] + figures["full"]["model_seconds"]) / figures["rows"] * 1e6


def library_ratio(figures: Figures, library: Figures) -> float:
    return library["microseconds"] / microseconds_per_event(figures)


def ccusage_ratio(ccusage: Figures) -> float:
    return ccusage["ours_events_per_second"] / ccusage["events_per_second"]


def steps_table(sizes: Sizes) -> str:
    """One line for each figure of a step, one column for each size."""
    lines: list[tuple[str, Callable[[Figures], str]]] = [
        ("floor, seconds", lambda f: seconds(f["floor"]["model_seconds"])),
        ("load, seconds (process)", lambda f: seconds(f["load"]["seconds"])),
        ("full build, seconds of the models", lambda f: seconds(f["full"]["model_seconds"])),
        ("full build, seconds (process)", lambda f: seconds(f["full"]["seconds"])),
        ("full build, times the floor", lambda f: f"{full_over_floor(f):.1f}"),
        ("data tests, seconds", lambda f: seconds(f["tests"]["model_seconds"])),
        ("data tests, times the floor", lambda f: f"{tests_over_floor(f):.1f}"),
        ("a run with nothing new, seconds of the models", lambda f: seconds(f["nothing"]["model_seconds"])),
        ("one more day: load, seconds (process)", lambda f: seconds(f["load_day"]["seconds"])),
        ("one more day: build, seconds of the models", lambda f: seconds(f["day"]["model_seconds"])),
        ("one more day: build, share of the full build", lambda f: f"{100 * day_share(f):.1f} %"),
        ("batch of 10,000: landed and built, seconds (processes)", lambda f: seconds(landed_batch_seconds(f))),
        ("load, rows per second", lambda f: f"{f['rows'] / f['load']['seconds']:,.0f}"),
        ("full build, rows per second of the models", lambda f: f"{f['rows'] / f['full']['model_seconds']:,.0f}"),
        ("load and full build, µs per event", lambda f: f"{microseconds_per_event(f):.1f}"),
        *((f"peak memory, {STEP_NAMES.get(step, step)}, GB", peak_of(step)) for step in ("floor", *STEPS)),
        ("raw Parquet, MB (bytes per row)", lambda f: size(f["parquet_bytes"], f["rows"])),
        ("landed, MB (bytes per row)", lambda f: size(f["landed_bytes"], f["rows"])),
        ("warehouse, MB (bytes per row)", lambda f: size(f["warehouse_bytes"], f["rows"])),
        ("`dbt parse` anew, seconds (process)", lambda f: f"{f['parse']['anew_seconds']:.1f}"),
        ("`dbt parse`, nothing changed, seconds (process)", lambda f: f"{f['parse']['unchanged_seconds']:.1f}"),
    ]
    rows = [[label, *(figure(figures) for figures in sizes.values())] for label, figure in lines]
    return markdown(["rows", *(f"{size:,}" for size in sizes)], rows)


def peak_of(step: str) -> Callable[[Figures], str]:
    return lambda figures: f"{figures[step]['peak_mb'] / 1024:.1f}"


def slowest_models(figures: Figures) -> str:
    full = figures["full"]
    rows = [
        [f"`{name}`", seconds(taken), f"{100 * taken / full['summed_seconds']:.0f} %"]
        for name, taken in list(full["slowest"].items())[:SHOWN_MODELS]
    ]
    return markdown(["slowest models of the full build", "seconds", "share of the summed model time"], rows)


def largest_tables(figures: Figures) -> str:
    sizes = figures["tables"]
    attempts = sizes["fct_llm_attempts"]["rows"]
    rows = [
        [f"`{name}`", f"{table['rows']:,}", f"{100 * table['rows'] / attempts:.2f} %", f"{table['bytes'] / 1e6:,.0f}"]
        for name, table in list(sizes.items())[:SHOWN_TABLES]
    ]
    return markdown(["table after the full build", "rows", "share of the attempts", "MB"], rows)


def peers(figures: Figures) -> str:
    """Beside whom; ours is in the first line of each half."""
    ours = microseconds_per_event(figures)
    rows = [["llm_spend, Parquet to every mart", f"{ours:.1f} µs", "", ""]]
    for name in LIBRARIES:
        rows += library_rows(name, figures["peers"][name], ours)
    return (
        f"{markdown(['', 'per event', 'ours is faster by', 'costs equal to ours'], rows)}\n\n{ccusage_table(figures)}"
    )


def library_rows(name: str, library: Figures, ours: float) -> list[list[str]]:
    if "microseconds" not in library:
        return [[f"`{name}`", f"not measured: {library['not_measured']}", "", ""]]
    equal = f"{library['equal']:,} of {library['compared']:,}"
    return [
        [f"`{name}` {library['version']}, {label}", f"{library[key]:.1f} µs", f"{library[key] / ours:.1f} ×", equal]
        for key, label in (
            ("microseconds", "Parquet to totals by tenant and day"),
            ("call_microseconds", "the call alone"),
        )
    ]


def ccusage_table(figures: Figures) -> str:
    peer = figures["peers"]["ccusage"]
    heads = ["JSONL to daily totals", "seconds", "events per second"]
    if "events" not in peer:
        return markdown(heads, [["`ccusage`", f"not measured: {peer['not_measured']}", ""]])
    load, build = peer["ours"]["load"]["load_seconds"], peer["ours"]["build"]["model_seconds"]
    table = markdown(
        heads,
        [
            [
                f"llm_spend (load {load:.1f} s, models {build:.1f} s)",
                seconds(peer["ours_seconds"]),
                f"{peer['ours_events_per_second']:,.0f}",
            ],
            [
                "llm_spend, both processes whole",
                seconds(peer["ours_process_seconds"]),
                f"{peer['events'] / peer['ours_process_seconds']:,.0f}",
            ],
            [f"`ccusage` {peer['version']}", f"{peer['seconds']:.2f}", f"{peer['events_per_second']:,.0f}"],
        ],
    )
    same = "the same" if peer["same_tokens"] else "**different**"
    return (
        f"{table}\n\nThe tokens of every day are {same}. Cost: ${peer['ours_cost_usd']:,.2f} here,"
        f" ${peer['cost_usd']:,.2f} there. {peer['events']:,} lines; the start of ccusage,"
        f" {1000 * peer['start_seconds']:.0f} ms, is taken off."
    )


def growth(sizes: Sizes) -> str:
    """How each cost grows with the rows, for docs/scaling.md."""
    lines: list[tuple[str, Callable[[Figures], str]]] = [
        ("floor, seconds", lambda f: seconds(f["floor"]["model_seconds"])),
        ("load, seconds", lambda f: seconds(f["load"]["seconds"])),
        ("full build, seconds", lambda f: seconds(f["full"]["model_seconds"])),
        ("load and full build, µs per event", lambda f: f"{microseconds_per_event(f):.1f}"),
        ("one more day (1 %), seconds", lambda f: seconds(f["day"]["model_seconds"])),
        ("nothing new, seconds", lambda f: seconds(f["nothing"]["model_seconds"])),
        ("10,000 events landed and built, seconds", lambda f: seconds(landed_batch_seconds(f))),
        ("peak memory, GB", lambda f: f"{peak_gb(f):.1f}"),
        ("warehouse, MB (bytes per row)", lambda f: size(f["warehouse_bytes"], f["rows"])),
        *((f"`{name}`, rows per attempt", roll_up_share(name)) for name in ROLL_UPS),
    ]
    rows = [[label, *(figure(figures) for figures in sizes.values())] for label, figure in lines]
    table = markdown(["rows", *(f"{rows:,}" for rows in sizes)], rows)
    machines = dict.fromkeys(machine_line(figures) for figures in sizes.values())
    return f"{table}\n\n" + "\n".join(machines)


def roll_up_share(name: str) -> Callable[[Figures], str]:
    def share(figures: Figures) -> str:
        sizes = figures["tables"]
        return f"{sizes[name]['rows'] / sizes['fct_llm_attempts']['rows']:.4f}" if name in sizes else "–"

    return share


def hundred_million(sizes: Sizes) -> str:
    """Room and time of a hundred million events, from the largest size measured."""
    rows = max(sizes)
    figures = sizes[rows]
    times = HUNDRED_MILLION / rows
    parquet, warehouse = (figures[name] / rows / 10 for name in ("parquet_bytes", "warehouse_bytes"))
    taken = (figures["load"]["seconds"] + figures["full"]["model_seconds"]) * times
    lines = [
        ["raw Parquet", f"{parquet * 10:.0f} B × 10⁸", f"{parquet:.1f} GB"],
        ["warehouse, landed events included", f"{warehouse * 10:.0f} B × 10⁸", f"{warehouse:.0f} GB"],
        ["spilled at the peak: plan for the warehouse again", f"{warehouse:.0f} GB × 1", f"{warehouse:.0f} GB"],
        ["free disk", "sum", f"{parquet + 2 * warehouse:.0f} GB"],
        ["load and full build, if nothing spills", f"{taken / times:.0f} s × {times:g}", f"{taken / 60:.0f} minutes"],
    ]
    return f"From {rows:,} rows measured; GB are 10⁹ bytes.\n\n{markdown(['', 'arithmetic', 'result'], lines)}"


def billion(sizes: Sizes) -> str:
    """The arithmetic of a billion events a day, from the largest size measured."""
    rows = max(sizes)
    figures = sizes[rows]
    cores = figures["machine"]["cores"]
    attempts = figures["tables"]["fct_llm_attempts"]
    landed = figures["tables"].get("raw_usage_events", {}).get("bytes", figures["landed_bytes"])
    parquet_each, landed_each = figures["parquet_bytes"] / rows, landed / rows
    attempts_each = attempts["bytes"] / attempts["rows"]
    each = microseconds_per_event(figures)
    core_hours = BILLION * each * cores / 1e6 / 3600
    lines = [
        ["raw Parquet", f"{parquet_each:.0f} B × 10⁹", f"{parquet_each:,.0f} GB a day"],
        ["landed events", f"{landed_each:.0f} B × 10⁹", f"{landed_each:,.0f} GB a day"],
        ["`fct_llm_attempts`", f"{attempts_each:.0f} B × 10⁹", f"{attempts_each:,.0f} GB a day"],
        [
            f"`fct_llm_attempts`, {DAYS_KEPT} days",
            f"{attempts_each:,.0f} GB × {DAYS_KEPT}",
            f"{attempts_each * DAYS_KEPT / 1000:,.1f} TB",
        ],
        ["`fct_llm_attempts`, a year", f"{attempts_each:,.0f} GB × 365", f"{attempts_each * 365 / 1000:,.0f} TB"],
        ["arriving", f"10⁹ / {DAY_SECONDS:,} s", f"{BILLION / DAY_SECONDS:,.0f} events a second"],
        [
            "load and models, each event once",
            f"{each:.1f} µs × {cores} cores × 10⁹ / 3,600",
            f"{core_hours:,.0f} core hours a day",
        ],
        ["cores for that, busy all day", f"{core_hours:,.0f} h / 24 h", f"{core_hours / 24:,.1f}"],
        ["cores to do it in one hour", f"{core_hours:,.0f} h / 1 h", f"{core_hours:,.0f}"],
    ]
    table = markdown(["", "arithmetic", "result"], lines)
    return f"From {rows:,} rows measured; GB are 10⁹ bytes.\n\n{table}"


def seconds(value: float) -> str:
    return f"{value:.1f}"


def size(count: int, rows: int) -> str:
    """Megabytes, and bytes for each row."""
    return f"{count / 1e6:,.0f} ({count / rows:.0f})"


def markdown(heads: Iterable[str], rows: Iterable[Iterable[str]], aligned: str | None = None) -> str:
    """A table; the first column to the left and the rest to the right, unless `aligned` says otherwise (l, r)."""
    heads = list(heads)
    aligned = aligned or "l" + "r" * (len(heads) - 1)
    rule = ["---:" if side == "r" else "---" for side in aligned]
    lines = [" | ".join(heads), "|".join(rule), *(" | ".join(row) for row in rows)]
    return "\n".join(f"|{line}|" if line == lines[1] else f"| {line} |" for line in lines)
