"""What other rules and thresholds would have fired on the data that is there, beside what fires now."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from llm_spend import config_seeds, dbt_run, paths
from llm_spend.alerts.incidents import Incident, is_page, read_incidents
from llm_spend.alerts.listing import in_order, table_of
from llm_spend.database import connect
from llm_spend.errors import UserError
from llm_spend.publish import copy_database

SEEDS = ("alert_rules", "alert_rule_overrides", "alert_inhibitions", "alert_causes", "budgets")
"""Configuration that decides what fires; the rest of a --config directory also changes what calls cost."""

_KEPT_SETTINGS = ("as_of", "event_source", "config_source", "cost_source", "reporting_timezone")


@dataclass(frozen=True)
class Backtest:
    """Incidents that became known in the range: `now` by the mart as it is, `then` by the other configuration."""

    now: list[Incident]
    then: list[Incident]


def backtest(
    database: Path, first: date, last: date, config: Path | None, build: dbt_run.Progress = lambda *_: None
) -> Backtest:
    """Build the alerts with other configuration in a copy of the warehouse, which is removed afterwards.

    Without `config` the rules are the package's. `first` and `last` are days in UTC on which an incident became known.
    The caller holds `writing`. UserError for a range that is none, a warehouse without marts, or faulty rules.
    """
    if first > last:
        raise UserError(f"--from {first} is after --to {last}: swap them")
    project = paths.project_dir()
    with _workshop() as folder:
        copy = folder / database.name
        as_of = copy_database(database, copy)
        if first > as_of.date():
            raise UserError(
                f"--from {first}: the marts know nothing after {as_of:%Y-%m-%d %H:%M}; choose an earlier day"
            )
        changed = _changed_seeds(project, config)
        overlaid = (
            config_seeds.overlay(project / "seeds" / "config", config, folder / "config_seeds") if config else None
        )
        settings = _settings(copy)
        event_source, moment = settings.pop("event_source"), settings.pop("as_of")
        if "budgets" in changed:
            settings["config_source"] = "own"
        request = dbt_run.BuildRequest(
            copy,
            event_source,
            moment,
            overlaid,
            vars=settings,
            config_dir=config,
            select=tuple(f"{seed}+,+alerts" for seed in changed),
        )
        dbt_run.build(request, build, folder)
        return Backtest(_known_in(read_incidents(database), first, last), _known_in(read_incidents(copy), first, last))


def print_backtest(console: Console, result: Backtest) -> None:
    """A line a rule, then what only one of the two configurations reports."""
    rules = sorted({incident["rule_id"] for incident in [*result.now, *result.then]})
    if not rules:
        console.print("Nothing fires in these days, neither now nor with these rules.")
        return
    pages_now, pages_then = (Counter(i["rule_id"] for i in side if is_page(i)) for side in (result.now, result.then))
    all_now, all_then = (Counter(i["rule_id"] for i in side) for side in (result.now, result.then))
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("rule")
    for name in ("pages now", "then", "incidents now", "then"):
        table.add_column(name, justify="right", no_wrap=True)
    for rule in rules:
        table.add_row(rule, *(str(counts[rule]) for counts in (pages_now, pages_then, all_now, all_then)))
    totals = (counts.total() for counts in (pages_now, pages_then, all_now, all_then))
    table.add_row("all", *map(str, totals), style="bold")
    console.print(table)
    _difference(console, "Would page, and does not now", result.then, result.now)
    _difference(console, "Pages now, and would not", result.now, result.then)


def _difference(console: Console, title: str, these: Sequence[Incident], those: Sequence[Incident]) -> None:
    known = {incident["alert_id"] for incident in those if is_page(incident)}
    only = [incident for incident in these if is_page(incident) and incident["alert_id"] not in known]
    if only:
        console.print()
        console.print(f"{title}: {len(only)}", style="bold", highlight=False)
        console.print(table_of(in_order(only)))


def _known_in(incidents: Sequence[Incident], first: date, last: date) -> list[Incident]:
    return [
        incident for incident in incidents if first <= datetime.fromisoformat(incident["opened_at"][:19]).date() <= last
    ]


def _changed_seeds(project: Path, config: Path | None) -> list[str]:
    """The seeds that this configuration sets: files of `config`, without one the rules of the package."""
    folder = config or project / "seeds" / "config"
    if config and not config.is_dir():
        raise UserError(f"--config {config}: there is no such directory")
    found = [name for name in SEEDS if (folder / f"{name}.csv").is_file() and (config or name != "budgets")]
    if not found:
        files = ", ".join(f"{name}.csv" for name in SEEDS)
        raise UserError(f"--config {config}: none of the files that decide what fires is there: {files}")
    return found


def _settings(database: Path) -> dict[str, str]:
    """The settings that the marts were built with."""
    with connect(database, read_only=True) as connection:
        rows = dict(connection.execute("select setting, setting_value from marts.package_settings").fetchall())
    return {name: rows[name] for name in _KEPT_SETTINGS}


@contextmanager
def _workshop() -> Iterator[Path]:
    artifacts = paths.artifacts_dir()
    artifacts.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="backtest-", dir=artifacts))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
