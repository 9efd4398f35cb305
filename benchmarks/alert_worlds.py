"""One seed of the simulator in a warehouse of its own, and what is read from it.

`python alert_worlds.py SEED DIR SLOT`: DIR keeps the world and its database as seed-N, SLOT is where dbt works. A world
found there is built again, not made again.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import duckdb
from alert_scoring import Alert, Entity, Label, Rule
from plain_thresholds import plain_alerts

from llm_spend import config_seeds
from llm_spend.dbt_run import (
    BuildRequest,
    close_connections,
    dbt_environment,
    dbt_variables,
    environment,
    place_arguments,
)
from llm_spend.demo.simulator import simulate
from llm_spend.demo.simulator.kinds import BY_NAME
from llm_spend.ingest.load import load
from llm_spend.paths import project_dir

SELECTED = ("+alerts", "+fct_daily_spend", "+fct_hourly_spend")
NOT_PAGING = "info"


@dataclass(frozen=True)
class World:
    """What one seed holds and what was said about it."""

    seed: int
    events: int
    labels: tuple[Label, ...]
    alerts: tuple[Alert, ...]
    plain: tuple[Alert, ...]
    rules: Mapping[str, Rule]


def world(seed: int, folder: Path, slot: Path) -> World:
    """Make, build and read a seed in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, str(seed), str(folder), str(slot)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"seed {seed}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    facts = json.loads(done.stdout.strip().splitlines()[-1])
    return World(
        seed,
        facts["events"],
        tuple(read_labels(folder / f"seed-{seed}")),
        tuple(_alert(row) for row in facts["alerts"]),
        tuple(_alert(row) for row in facts["plain"]),
        {rule_id: Rule(*rule) for rule_id, rule in facts["rules"].items()},
    )


def read_labels(folder: Path) -> Iterator[Label]:
    """The labels of a world, each with its extra dollars by the hour."""
    hours: dict[str, dict[datetime, float]] = {}
    for row in _rows(folder / "label_dollars.csv"):
        hours.setdefault(row["label_id"], {})[datetime.fromisoformat(row["hour_at"])] = float(row["dollars"])
    for row in _rows(folder / "labels.csv"):
        kind = BY_NAME.get(row["kind"])
        yield Label(
            row["label_id"],
            row["kind"],
            kind.detected if kind else "",
            datetime.fromisoformat(row["starts_at"]),
            datetime.fromisoformat(row["ends_at"]),
            frozenset(_entity(text) for text in row["entities"].split(";")),
            frozenset(filter(None, row["rules"].split(";"))),
            frozenset(kind.meant if kind else ()),
            float(row["dollars"]),
            datetime.fromisoformat(row["judgeable_at"]) if row["judgeable_at"] else None,
            row["is_small"] == "true",
            row["is_benign"] == "true",
            hours.get(row["label_id"], {}),
        )


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _entity(text: str) -> Entity:
    entity_type, _, entity_id = text.partition("=")
    return entity_type, entity_id


def _alert(row: dict[str, object]) -> Alert:
    moments = {name: datetime.fromisoformat(row[name]) for name in ("window_start", "window_end", "opened_at")}
    return Alert(**{**row, **moments, "entity": tuple(row["entity"])})


def main() -> None:
    seed, folder, slot = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    here, database = folder / f"seed-{seed}", slot / "warehouse.duckdb"
    kept = here / "warehouse.duckdb"
    slot.mkdir(parents=True, exist_ok=True)
    database.unlink(missing_ok=True)
    if kept.exists():
        # dbt parses anew for another path.
        shutil.move(kept, database)
    else:
        simulate(seed, here)
        as_of = datetime.fromisoformat((here / "as_of.txt").read_text("utf-8").strip())
        load(database, [str(here / "events.jsonl")], None, as_of)
    build(here, database, slot)
    with duckdb.connect(str(database), read_only=True) as connection:
        facts = {
            "events": connection.execute("select count(*) from raw.raw_usage_events").fetchone()[0],
            "alerts": [asdict(alert) for alert in read_alerts(connection)],
            "plain": [asdict(alert) for alert in plain_alerts(connection)],
            "rules": {rule_id: [rule.min_dollars, rule.period_type] for rule_id, rule in read_rules(connection)},
        }
    shutil.move(database, kept)
    print(json.dumps(facts, default=str))  # noqa: T201


def build(world_folder: Path, database: Path, slot: Path) -> None:
    """The models that the alerts need, without tests, as `llm-spend build` would make them."""
    from dbt.cli.main import dbtRunner

    project = project_dir()
    own = config_seeds.overlay(project / "seeds" / "config", world_folder / "config", slot / "config_seeds")
    as_of = (world_folder / "as_of.txt").read_text("utf-8").strip()
    request = BuildRequest(database, as_of=as_of, config_seeds=own, config_dir=world_folder / "config")
    arguments = [
        *("build", "--vars", json.dumps(dbt_variables(request)), "--exclude-resource-type", "test", "unit_test"),
        *("--select", *SELECTED, "--threads", "1", "--log-level", "none"),
        *place_arguments(project, slot / "dbt", slot / "logs"),
    ]
    with environment(dbt_environment(request, project)):
        result = dbtRunner().invoke(arguments)
        close_connections()
    if not result.success:
        failed = [f"{run.node.name}: {run.message}" for run in result.result or [] if str(run.status) == "error"]
        raise SystemExit("\n".join(failed) or str(result.exception))


def read_alerts(connection: duckdb.DuckDBPyConnection) -> Iterator[Alert]:
    """Every incident; those that are children of another, or for the digest only, page nobody."""
    cursor = connection.execute("select * from marts.alerts")
    names = [column[0] for column in cursor.description]
    for values in cursor.fetchall():
        row = dict(zip(names, values, strict=True))
        yield Alert(
            row["rule_id"],
            (row["entity_type"], row["entity_id"]),
            row["window_start"],
            row["window_end"],
            row["opened_at"],
            row["period_type"],
            row.get("parent_alert_id") is None and row["severity"] != NOT_PAGING,
            row["observed_value"],
            row["baseline_value"],
            float(row["impact_usd"]),
        )


def read_rules(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, Rule]]:
    """The rules as they were applied, each with the kind of period it judges."""
    rows = connection.execute(
        """
        select rules.rule_id, coalesce(rules.min_dollars, 0), max(evaluations.period_type)
        from staging.stg_config__alert_rules as rules
        left join intermediate.int_alert_evaluations as evaluations on rules.rule_id = evaluations.rule_id
        group by all
        """
    ).fetchall()
    for rule_id, min_dollars, period_type in rows:
        yield rule_id, Rule(float(min_dollars), period_type or "daily")


if __name__ == "__main__":
    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    main()
