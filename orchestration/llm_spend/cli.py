"""The `llm-spend` command line."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from llm_spend import config_seeds, dbt_run, paths, summary
from llm_spend.alerts.commands import app as delivery_commands
from llm_spend.alerts.commands import deliver_and_report
from llm_spend.database import connect
from llm_spend.demo import DEFAULT_EVENTS, DEMO_DAYS, generate
from llm_spend.errors import UserError
from llm_spend.writing import WAIT_SECONDS, begin_build, end_build, keep_demo_apart, writing

if TYPE_CHECKING:
    from llm_spend.bills.csv_bill import BillReport
    from llm_spend.bills.fetch import FetchReport
    from llm_spend.bills.providers import Provider
    from llm_spend.bills.warehouse import Changes, Warehouse
    from llm_spend.ingest.load import LoadReport

app = typer.Typer(
    help="Why the LLM bill is what it is: usage events and prices in, spend, waste and regressions out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
demo_app = typer.Typer(help="The bundled demo company.", invoke_without_command=True)
prices_app = typer.Typer(help="The price book.", no_args_is_help=True)
export_app = typer.Typer(help="Files for other tools.", no_args_is_help=True)
alerts_app = typer.Typer(help="Incidents: which, why, who is told, and who takes them.", no_args_is_help=True)
ingest_app = typer.Typer(help="Providers' own usage and cost reports, into the warehouse.", no_args_is_help=True)
app.add_typer(demo_app, name="demo")
app.add_typer(ingest_app, name="ingest")
app.add_typer(prices_app, name="prices")
app.add_typer(export_app, name="export")
alerts_app.add_typer(delivery_commands)
app.add_typer(alerts_app, name="alerts")

out = Console()
err = Console(stderr=True)

DatabaseOption = Annotated[
    Path | None,
    typer.Option("--db", help="DuckDB file. Default: LLM_SPEND_DUCKDB_PATH, else target/llm_spend.duckdb."),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help="Directory of CSV files that replace those of seeds/config (budgets, aliases, …)."),
]
EventsOption = Annotated[
    list[str] | None,
    typer.Option("--events", help="File or quoted glob: JSONL, CSV, TSV (also .gz, .zst), Parquet; may be repeated."),
]
MappingOption = Annotated[
    str | None,
    typer.Option("--mapping", help="Mapping file that renames and converts columns, or the name of a preset."),
]
HashOption = Annotated[
    list[str] | None,
    typer.Option("--hash", help="Field to hash at load, user_id or tenant_id (salt: LLM_SPEND_HASH_SALT)."),
]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="The moment to judge from, ISO 8601. Default: now, in UTC.")
]
WaitOption = Annotated[
    float, typer.Option("--wait", min=0, help="Minutes to wait for another process that loads, builds or publishes.")
]
WAIT_MINUTES = WAIT_SECONDS / 60
SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="First day, ISO 8601, UTC. Needed once: later runs go on from the last final day."),
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Last day, UTC. Default: yesterday.")]
AgainOption = Annotated[bool, typer.Option("--again", help="Fetch days that are final, too.")]
FullRefreshOption = Annotated[bool, typer.Option("--full-refresh", help="Rebuild every table from the raw events.")]


@demo_app.callback()
def demo(
    context: typer.Context,
    database: DatabaseOption = None,
    config: ConfigOption = None,
    as_of: AsOfOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Build the bundled demo and explain its bill."""
    if context.invoked_subcommand is None:
        moment = _utc_text(as_of) if as_of else None
        with _writing(database, "demo", wait, config) as target:
            _build_and_report(target, "demo", moment, config, full_refresh=False)
            try:
                _write_report(target)
            except UserError as error:  # the demo is built and explained all the same
                out.print(f"[bold]Report[/bold]  none: {escape(str(error))}", highlight=False, soft_wrap=True)


@demo_app.command("generate")
def demo_generate(
    out_dir: Annotated[Path, typer.Option("--out", help="Where the CSV files go.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    days: Annotated[int, typer.Option(min=1, help="Days of traffic.")] = DEMO_DAYS,
    events: Annotated[int, typer.Option(min=1, help="About how many events.")] = DEFAULT_EVENTS,
) -> None:
    """Write demo usage events of any size, what providers bill for them, and what is planted in both."""
    generate(out_dir, seed=seed, days=days, events=events)
    out.print(f"Demo events are in {out_dir}")


@demo_app.command("incidents")
def demo_incidents(
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")],
    to: Annotated[
        Path | None, typer.Option("--to", help="Where the files go. Default: target/incidents/seed-N.")
    ] = None,
) -> None:
    """Write a company's 90 days with labelled incidents, to see what the alerts find of them."""
    from llm_spend.demo.simulator import AS_OF, simulate

    out_dir = to or paths.target_dir() / "incidents" / f"seed-{seed}"
    events = simulate(seed, out_dir)
    folder = escape(paths.short(out_dir))
    out.print(f"{summary.count(events, 'event')} and their labels are in {folder}. To build them:", soft_wrap=True)
    out.print(
        f"  llm-spend build --events {folder}/events.jsonl --config {folder}/config --as-of"
        f" {AS_OF:%Y-%m-%dT%H:%M:%SZ} --db {folder}/incidents.duckdb",
        highlight=False,
        soft_wrap=True,
    )


@app.command()
def load(
    events: EventsOption = None,
    mapping: MappingOption = None,
    database: DatabaseOption = None,
    hash_fields: HashOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Load usage events into the landing tables, without building."""
    if not events:
        raise UserError("--events is missing: name a file or a quoted glob of usage events")
    with _writing(database, "load", wait) as target:
        _load(target, events, mapping, hash_fields or [])


@ingest_app.command("openai")
def ingest_openai(
    since: SinceOption = None,
    until: UntilOption = None,
    again: AgainOption = False,
    database: DatabaseOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Fetch OpenAI's usage and costs, with the admin key in OPENAI_ADMIN_KEY."""
    from llm_spend.bills.providers import OPENAI

    _fetch(OPENAI, since, until, again, database, wait)


@ingest_app.command("anthropic")
def ingest_anthropic(
    since: SinceOption = None,
    until: UntilOption = None,
    again: AgainOption = False,
    database: DatabaseOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Fetch Anthropic's usage and costs, with the admin key in ANTHROPIC_ADMIN_KEY."""
    from llm_spend.bills.providers import ANTHROPIC

    _fetch(ANTHROPIC, since, until, again, database, wait)


@ingest_app.command("csv")
def ingest_csv(
    file: Annotated[Path, typer.Argument(help="The bill: CSV or TSV, also .gz or .zst.")],
    provider: Annotated[str, typer.Option("--provider", help="Whose bill it is, such as azure.")],
    database: DatabaseOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Load any other provider's bill. It replaces what is here of that provider's same days."""
    from llm_spend.bills.csv_bill import check_provider, load_bill

    name = check_provider(provider)
    with _warehouse(database, "ingest csv", wait) as warehouse:
        _print_bill(load_bill(file, name, warehouse, datetime.now(UTC)))


@app.command()
def build(
    events: EventsOption = None,
    mapping: MappingOption = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    full_refresh: FullRefreshOption = False,
    as_of: AsOfOption = None,
    hash_fields: HashOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Load your own usage events, build every mart, and explain the bill."""
    moment = _utc_text(as_of) if as_of else None
    with _writing(database, "build", wait, config) as target:
        _land(target, events, mapping, hash_fields)
        _build_and_report(target, "landing", moment, config, full_refresh)


@app.command()
def run(
    events: EventsOption = None,
    mapping: MappingOption = None,
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_of: AsOfOption = None,
    hash_fields: HashOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """The daily job in one process, for cron: load, judge what landed, build, publish, deliver new alerts."""
    from llm_spend.ingest.load import unload
    from llm_spend.quality import check

    moment = _utc_text(as_of) if as_of else None
    with _writing(database, "run", wait, config) as target:
        landed = _land(target, events, mapping, hash_fields)
        verdict = check(target, datetime.fromisoformat(moment) if moment else None, file_hashes=landed or None)
        if verdict.errors:
            # What a killed run landed is not new to this one, and is taken back all the same.
            unload(target, landed or verdict.file_hashes)
        for warning in verdict.warnings:
            err.print(f"[yellow]warning:[/yellow] {escape(str(warning))}", highlight=False, soft_wrap=True)
        verdict.raise_errors()
        _build_and_report(target, "landing", moment, config, full_refresh=False)
        try:
            _publish(target)
        finally:
            deliver_and_report(target, out, err)


@app.command()
def publish(
    database: DatabaseOption = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="The copy. Default: beside the database, named .published.duckdb.")
    ] = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Write a read-only copy of the marts for BI tools, which neither wait for a build nor hold one up."""
    with _writing(database, "publish", wait) as target:
        _publish(target, to)


@app.command()
def review(
    week: Annotated[
        str | None, typer.Option("--week", help="A day of the week to review, ISO 8601. Default: the last whole week.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="File to write, .md or .html. Default: Markdown, printed.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Write the weekly review: spend, outliers, cost of a success, new prompt versions, waste, margin, budgets."""
    from llm_spend import review as reviewing

    if to and to.suffix not in (".md", ".html"):
        raise UserError(f"--to {to}: name a file that ends in .md or .html")
    text = reviewing.markdown(*reviewing.review(database or paths.default_database(), _day("--week", week)))
    if not to:
        sys.stdout.write(text)
        return
    to.write_text(reviewing.html(text) if to.suffix == ".html" else text, encoding="utf-8")
    out.print(f"The review is in {escape(paths.short(to))}", highlight=False, soft_wrap=True)


@app.command()
def report(
    database: DatabaseOption = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="The page. Default: beside the database, named .report.html.")
    ] = None,
) -> None:
    """Write the marts as one HTML page that needs no server: from the total down to single requests."""
    if to and to.suffix != ".html":
        raise UserError(f"--to {to}: name a file that ends in .html")
    _write_report(database or paths.default_database(), to)


@app.command()
def forget(
    user_id: Annotated[str, typer.Argument(help="The user's id, as the log has it.")],
    database: DatabaseOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Take a user out of every table: the spend stays, under a random name. Published copy and report are made anew."""
    from llm_spend import privacy
    from llm_spend.ingest.identity import keyed_digest, salt_from_environment
    from llm_spend.publish import published_path
    from llm_spend.report import report_path

    salt = salt_from_environment()
    with _writing(database, "forget", wait) as target:
        forgotten = privacy.forget(target, {user_id, keyed_digest(salt, user_id)} if salt else {user_id})
        out.print(
            f"{summary.count(sum(forgotten.rows.values()), 'row')} of {summary.count(len(forgotten.rows), 'table')}"
            f" now say {forgotten.replacement}. The log files and your own configuration are yours to change.",
            highlight=False,
            soft_wrap=True,
        )
        if published_path(target).exists():
            _publish(target)
        if report_path(target).exists():
            _write_report(target)


@app.command()
def plan(
    config: ConfigOption = None,
    database: DatabaseOption = None,
    as_of: AsOfOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Show what the next run would write: which days, why, and how many dollars move. Writes no mart."""
    from llm_spend.plan import planned_changes, print_plan

    moment = _utc_text(as_of) if as_of else None
    with _writing(database, "plan", wait, config) as target:
        _land(target, None, None, None)
        seeds = _config_seeds(config, paths.artifacts_dir()) if config else None
        _build(
            dbt_run.BuildRequest(
                target, as_of=moment, config_seeds=seeds, config_dir=config, select=("+int_attempts_priced",)
            )
        )
        print_plan(out, planned_changes(target))


@prices_app.command("refresh")
def prices_refresh(
    on: Annotated[
        str | None,
        typer.Option("--on", help="Day from which a change without a date of its own counts. Default: today, in UTC."),
    ] = None,
    allow_jumps: Annotated[
        bool, typer.Option("--allow-jumps", help="Accept prices that move by more than a factor of 10.")
    ] = False,
) -> None:
    """Bring the price seeds up to the installed genai-prices and show what changed."""
    from llm_spend.pricing.refresh import installed_library, refresh, report_lines

    day = _day("--on", on) or datetime.now(UTC).date()
    report = refresh(paths.project_dir() / "seeds" / "prices", installed_library(), day, allow_jumps)
    for line in report_lines(report):
        out.print(line, highlight=False, soft_wrap=True)


@prices_app.command("check")
def prices_check(config: ConfigOption = None) -> None:
    """Check the price book and your own configuration by the rules of a build, without building."""
    folders = [paths.project_dir() / "seeds" / name for name in ("prices", "config")]
    names = tuple(sorted(path.stem for folder in folders for path in folder.glob("*.csv")))
    target = paths.artifacts_dir() / "prices_check"
    database = target / "prices.duckdb"
    seeds = _config_seeds(config, target) if config else None
    with connect(database):
        pass  # says at once that another check is running
    try:
        _build(dbt_run.BuildRequest(database, config_seeds=seeds, config_dir=config, select=names), target)
        with connect(database, read_only=True) as connection:
            prices, models, own = connection.execute(
                """
                select
                    (select count(*) from raw.model_prices),
                    (select count(distinct (provider_id, model_id)) from raw.model_prices),
                    (select count(*) from raw.price_overrides)
                """
            ).fetchone()
    finally:
        database.unlink(missing_ok=True)
    out.print(
        f"The price book holds: {summary.count(prices, 'price')} of {summary.count(models, 'model')}"
        + (f", {summary.count(own, 'agreed price')}" if config else ""),
        highlight=False,
    )


@prices_app.command("show")
def prices_show(
    model: Annotated[str, typer.Argument(help="Model id of the price book, or a name in your log.")],
    provider: Annotated[str | None, typer.Option("--provider", help="Only this provider's prices.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="Day or time in force, ISO 8601, UTC unless it says. Default: today.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Show a model's prices as they are applied, next to where they come from."""
    from llm_spend.explain import print_prices, read_moment

    moment = read_moment(at, datetime.now(UTC).date())
    print_prices(out, database or paths.default_database(), model, provider, moment)


@export_app.command("focus")
def export_focus(
    month: Annotated[str | None, typer.Option("--month", help="UTC billing month, such as 2026-10.")] = None,
    out_dir: Annotated[Path, typer.Option("--out", help="Where the two files go. Default: here.")] = Path(),
    database: DatabaseOption = None,
) -> None:
    """Write one month of FinOps FOCUS 1.2 cost and usage as CSV and Parquet."""
    from llm_spend.focus import export

    exported = export(database or paths.default_database(), month, out_dir)
    out.print(
        f"{summary.count(exported.rows, 'row')} in {escape(paths.short(exported.csv))}"
        f" and {escape(paths.short(exported.parquet))}",
        highlight=False,
        soft_wrap=True,
    )


@alerts_app.command("list")
def alerts_list(
    everything: Annotated[
        bool, typer.Option("--all", help="Also incidents of the same cause, and severity info.")
    ] = False,
    rule: Annotated[str | None, typer.Option("--rule", help="Only incidents of this rule.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Only what became known from this day on, UTC.")] = None,
    database: DatabaseOption = None,
) -> None:
    """List the incidents that page, the newest first."""
    from llm_spend.alerts.listing import print_list

    print_list(out, database or paths.default_database(), everything, rule, _day("--since", since))


@alerts_app.command("show")
def alerts_show(
    alert_id: Annotated[str, typer.Argument(help="The id of an alert, or how it begins.")],
    database: DatabaseOption = None,
) -> None:
    """Show one incident: what happened, who drove it, why, what to do, and the SQL of its calls."""
    from llm_spend.alerts.listing import print_incident

    print_incident(out, database or paths.default_database(), alert_id)


@alerts_app.command("backtest")
def alerts_backtest(
    first: Annotated[str, typer.Option("--from", help="First day on which an incident became known, UTC.")],
    last: Annotated[str, typer.Option("--to", help="The last such day.")],
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Directory with alert_rules.csv and the like. Default: the package's rules."),
    ] = None,
    database: DatabaseOption = None,
    wait: WaitOption = WAIT_MINUTES,
) -> None:
    """Show what these rules would have fired on your data, beside what fires now. Your marts stay as they are."""
    from llm_spend.alerts.backtest import backtest, print_backtest

    days = _day("--from", first), _day("--to", last)
    with _writing(database, "alerts backtest", wait) as target, _building() as on_node:
        result = backtest(target, *days, config, on_node)
    print_backtest(out, result)


@app.command()
def explain(
    event_id: Annotated[str, typer.Argument(help="The call, by its event_id.")], database: DatabaseOption = None
) -> None:
    """Explain the cost of one call: its quantities, its prices and their products, line by line."""
    from llm_spend.explain import print_call

    print_call(out, database or paths.default_database(), event_id)


def main() -> None:
    """Run the command line; every foreseeable error is one line and an exit code."""
    try:
        app()
    except UserError as error:
        err.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(error.exit_code)


@contextmanager
def _writing(database: Path | None, command: str, wait_minutes: float, config: Path | None = None) -> Iterator[Path]:
    """The database, while no other process of ours writes it; own configuration is laid out in one place, too."""
    target = (database or paths.default_database()).expanduser().absolute()
    written = [target, paths.artifacts_dir() / "config_seeds"] if config else [target]
    with _holding(written, command, wait_minutes):
        yield target


@contextmanager
def _holding(written: list[Path], command: str, wait_minutes: float) -> Iterator[None]:
    """No other process of ours writes these."""
    with ExitStack() as held:
        for path in written:
            held.enter_context(
                writing(path, f"llm-spend {command}", wait_minutes * 60, lambda line: err.print(line, soft_wrap=True))
            )
        yield


@contextmanager
def _warehouse(database: Path | None, command: str, wait_minutes: float) -> Iterator["Warehouse"]:
    """The warehouse of the dbt target, while no other process of ours writes it."""
    from llm_spend.bills.warehouse import open_warehouse, target_name, work_folder

    if target_name() != "duckdb":
        if database:
            raise UserError(f"--db names a DuckDB file, and LLM_SPEND_TARGET is {target_name()}: leave one of them out")
        file, written = None, [work_folder()]
    else:
        file = (database or paths.default_database()).expanduser().absolute()
        written = [file, work_folder()]
    with _holding(written, command, wait_minutes), open_warehouse(file) as warehouse:
        yield warehouse


def _fetch(
    provider: "Provider", since: str | None, until: str | None, again: bool, database: Path | None, wait: float
) -> None:
    first, last = _day("--since", since), _day("--until", until)
    provider.key()
    with _warehouse(database, f"ingest {provider.name}", wait) as warehouse, _progress() as progress:
        from llm_spend.bills.fetch import fetch

        task = progress.add_task("Fetching", total=1.0)
        report = fetch(
            provider,
            warehouse,
            first,
            last,
            datetime.now(UTC),
            again,
            lambda message, share: progress.update(task, description=f"Fetching {message}", completed=share),
        )
    _print_fetch(provider, report)


def _print_fetch(provider: "Provider", report: "FetchReport") -> None:
    days = f"{report.first} to {report.last}"
    if not report.days:
        nothing = "no whole day yet" if report.first > report.last else f"{days} are here and final"
        out.print(f"[bold]{provider.name}[/bold]  {nothing}: nothing to fetch", highlight=False, soft_wrap=True)
        return
    for name, changes in report.changes.items():
        out.print(
            f"[bold]{provider.name} {name}[/bold]  {days}, {summary.count(report.days, 'day')} fetched:"
            f" {_changes(changes)}",
            highlight=False,
            soft_wrap=True,
        )
    if report.missing:
        out.print(f"  not there for this organization: {', '.join(report.missing)}", style="dim", soft_wrap=True)


def _print_bill(report: "BillReport") -> None:
    out.print(
        f"[bold]{escape(paths.short(report.path))}[/bold]  {report.days[0]} to {report.days[-1]},"
        f" {summary.count(len(report.days), 'day')}: {_changes(report.changes)}",
        highlight=False,
        soft_wrap=True,
    )
    if report.unused_columns:
        unused = escape(", ".join(report.unused_columns))
        out.print(f"  not used: {unused}", style="dim", highlight=False, soft_wrap=True)


def _changes(changes: "Changes") -> str:
    if not changes.added and not changes.retired:
        return "nothing changed"
    return f"{summary.count(changes.added, 'row')} new, {changes.retired:,} replaced or gone"


def _land(database: Path, events: list[str] | None, mapping: str | None, hash_fields: list[str] | None) -> list[str]:
    """Load what is named and return the hashes of new files; without a name there must be events already."""
    if events:
        report = _load(database, events, mapping, hash_fields or [])
        return [file.file_hash for file in report.files if not file.is_skipped]
    if not _has_landing(database):
        raise UserError(f"{database} holds no usage events yet: name your log with --events")
    return []


def _load(database: Path, events: list[str], mapping: str | None, hash_fields: list[str]) -> "LoadReport":
    from llm_spend.ingest.load import load as load_events
    from llm_spend.ingest.mapping import read_mapping
    from llm_spend.ingest.schema import USAGE_EVENTS

    shape = read_mapping(mapping) if mapping else None
    with _progress() as progress:
        task = progress.add_task("Loading", total=1.0)
        report = load_events(
            database.expanduser().absolute(),
            events,
            shape,
            datetime.now(UTC),
            os.environ.get("LLM_SPEND_HASH_SALT"),
            hash_fields,
            lambda message, share: progress.update(task, description=message, completed=share),
        )
    # not every row of another system's log is a call
    _print_load(report, "event" if shape is None or shape.landing is USAGE_EVENTS else "row")
    return report


def _print_load(report: "LoadReport", noun: str) -> None:
    for file in report.files:
        events = summary.count(file.accepted, noun)
        if file.is_skipped:
            outcome = f"already loaded ({events}), nothing changed"
        else:
            outcome = f"{events} loaded"
            if file.rejected:
                outcome += f", {summary.count(file.rejected, 'line')} rejected"
            if file.left_out:
                outcome += f", {summary.count(file.left_out, 'row')} of another kind left out"
        details = [f"line {rejection.line:,}: {rejection.reason}" for rejection in file.first_rejections]
        if file.unused_columns and not file.is_skipped:
            details.append(f"not used: {', '.join(file.unused_columns)}")
        out.print(f"[bold]{escape(paths.short(Path(file.path)))}[/bold]  {outcome}", highlight=False, soft_wrap=True)
        for detail in details:
            out.print(f"  {escape(detail)}", style="dim", highlight=False, soft_wrap=True)


def _build_and_report(
    target: Path, event_source: str, as_of: str | None, config: Path | None, full_refresh: bool
) -> None:
    seeds = _config_seeds(config, paths.artifacts_dir()) if config else None
    if keep_demo_apart(target, event_source):
        out.print(f"The demo is gone from {escape(paths.short(target))}: your log is there now", soft_wrap=True)
    begin_build(target)
    _build(dbt_run.BuildRequest(target, event_source, as_of, seeds, full_refresh, config_dir=config))
    end_build(target)
    summary.print_summary(out, target)
    out.print(f"[bold]Tables[/bold]  {paths.short(target)}, schema marts", highlight=False)


def _day(option: str, text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise UserError(f"{option} {text}: not an ISO 8601 day, such as 2026-10-26") from None


def _config_seeds(config: Path, target: Path) -> Path:
    return config_seeds.overlay(paths.project_dir() / "seeds" / "config", config, target / "config_seeds")


def _build(request: dbt_run.BuildRequest, target: Path | None = None) -> None:
    with _building() as on_node:
        dbt_run.build(request, on_node, target)


@contextmanager
def _building() -> Iterator[dbt_run.Progress]:
    """A bar that a build moves."""
    with _progress() as progress:
        task = progress.add_task("Building", total=None)

        def on_node(name: str, done: int, total: int) -> None:
            if total:
                progress.update(task, total=total)
            progress.update(task, advance=done, description=f"Building {name}"[:48].ljust(48))

        yield on_node


def _publish(database: Path, to: Path | None = None) -> None:
    from llm_spend.publish import publish as publish_copy

    copy = publish_copy(database, to)
    out.print(
        f"[bold]Copy[/bold]    {escape(paths.short(copy.path))}, for readers: {copy.size / 1e6:,.0f} MB,"
        f" as of {copy.as_of:%Y-%m-%d %H:%M}",
        highlight=False,
        soft_wrap=True,
    )


def _write_report(database: Path, to: Path | None = None) -> None:
    from llm_spend.report import write_report

    page = write_report(database, to)
    out.print(f"[bold]Report[/bold]  {escape(paths.short(page.path))}", highlight=False, soft_wrap=True)


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
    )


def _has_landing(database: Path) -> bool:
    if not database.exists():
        return False
    with connect(database, read_only=True) as connection:
        return bool(
            connection.execute(
                "select 1 from information_schema.tables where table_schema = 'raw' and table_name = 'raw_usage_events'"
            ).fetchone()
        )


def _utc_text(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"--as-of {text}: not an ISO 8601 time, such as 2026-10-26T00:00:00Z") from None
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")
