"""Incidents as a person reads them in a terminal: a list, and one in full.

Every number is a mart's. What a log names is shown as text, never as markup or control codes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table
from rich.text import Text

from llm_spend.alerts.incidents import Incident, is_page, read_incidents
from llm_spend.alerts.messages import details, entity, minute, one_line, usd
from llm_spend.database import connect
from llm_spend.errors import UserError

SHORT_ID = 8
STYLES = {"critical": "bold red", "warning": "yellow", "info": "blue"}
NOT_BUILT = "was built by an earlier release: run llm-spend build once more"


@dataclass(frozen=True)
class Contributor:
    """A row of `marts.alert_contributors`, in USD."""

    entity_type: str
    entity_id: str
    cost: Decimal
    usual: Decimal
    beyond: Decimal


def print_list(console: Console, database: Path, everything: bool, rule: str | None, since: date | None) -> None:
    """Pages, the newest first; with `everything` also their children and what is only info.

    UserError for a rule that no incident is of.
    """
    incidents = _read(database)
    if rule and not any(incident["rule_id"] == rule for incident in incidents):
        known = ", ".join(sorted({one_line(incident["rule_id"]) for incident in incidents})) or "none yet"
        raise UserError(f"--rule {rule}: no incident is of this rule; there are some of {known}")
    chosen = [
        incident
        for incident in incidents
        if (not rule or incident["rule_id"] == rule) and (not since or _opened(incident) >= since)
    ]
    shown = [incident for incident in chosen if everything or is_page(incident)]
    if not shown:
        console.print("No alerts." if not chosen else "No alerts that page; --all shows the rest.")
        return
    console.print(table_of(in_order(shown)))
    left = len(chosen) - len(shown)
    if left:
        console.print(f"{left} more of the same causes or of severity info: --all", style="dim", highlight=False)


def print_incident(console: Console, database: Path, alert_id: str) -> None:
    """One incident by its id or the beginning of it. UserError where none or several begin so."""
    incidents = _read(database)
    found = [incident for incident in incidents if incident["alert_id"].startswith(alert_id.lower())]
    if not found:
        raise UserError(f"{alert_id}: no alert has this id; llm-spend alerts list --all shows all", exit_code=1)
    if len(found) > 1:
        ids = ", ".join(incident["alert_id"][: len(alert_id) + 6] for incident in found[:5])
        raise UserError(f"{alert_id}: {len(found)} alerts begin so: {ids}; give more of it")
    (incident,) = found
    by_id = {each["alert_id"]: each for each in incidents}
    evidence = incident["evidence"]
    console.print(
        Text(f"{incident['severity'].upper()} {headline(incident)} · {incident['status']}", style=_style(incident))
    )
    console.print(_grid(details("opened", {**incident, "evidence": {}}), without=("Evidence",)))
    parent = by_id.get(incident["parent_alert_id"])
    if parent:
        _section(console, "Told of by", [table_of([parent])])
    contributors = _contributors(database, incident["alert_id"])
    if contributors:
        _section(console, "Who drove it, in dollars beyond the usual", [_contributor_table(contributors)])
    samples = evidence.get("sample_request_ids") or []
    if samples:
        _section(console, "Dearest requests", [Text(one_line(sample)) for sample in samples])
    children = [by_id[child] for child in evidence.get("children") or [] if child in by_id]
    if children:
        _section(console, "Of the same cause", [table_of(in_order(children))])
    if evidence.get("sql"):
        _section(console, "Its calls", [Text(one_line(evidence["sql"], 10_000))])


def table_of(incidents: Sequence[Incident]) -> Table:
    """When, what and how bad, why, how much, and how to see more."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("known since", no_wrap=True)
    table.add_column("what, and the likely cause", overflow="fold")
    table.add_column("at stake", justify="right", no_wrap=True)
    table.add_column("id", no_wrap=True)
    listed = {incident["alert_id"] for incident in incidents}
    for incident in incidents:
        change = incident["change_percent"]
        resolved = minute(incident["resolved_at"])
        mark = "└ " if incident["parent_alert_id"] in listed else ""
        why = [
            one_line(incident["likely_cause"]),
            *([] if change is None else [f"{change:+,.0f}%"]),
            *([f"{incident['children']} more of it"] if incident["children"] else []),
        ]
        table.add_row(
            f"{minute(incident['opened_at'])}\n" + (f"to {resolved[5:]}" if resolved else incident["status"]),
            Text(f"{mark}{headline(incident)}", style=_style(incident)).append(f"\n{' · '.join(why)}", style="dim"),
            usd(incident["impact_usd"]),
            incident["alert_id"][:SHORT_ID],
        )
    return table


def headline(incident: Incident) -> str:
    """`hourly_spend_spike total`."""
    return f"{one_line(incident['rule_id'])} {entity(incident)}"


def in_order(incidents: Sequence[Incident]) -> list[Incident]:
    """The newest first, each child after its parent where that is among them."""
    newest = sorted(incidents, key=lambda incident: (incident["opened_at"], incident["alert_id"]), reverse=True)
    listed = {incident["alert_id"] for incident in incidents}
    ordered = []
    for incident in newest:
        if incident["parent_alert_id"] not in listed:
            ordered.append(incident)
            ordered += [child for child in reversed(newest) if child["parent_alert_id"] == incident["alert_id"]]
    return ordered


def _read(database: Path) -> list[Incident]:
    incidents = read_incidents(database)
    if incidents and "parent_alert_id" not in incidents[0]:
        raise UserError(f"{database} {NOT_BUILT}", exit_code=1)
    return incidents


def _contributors(database: Path, alert_id: str) -> list[Contributor]:
    with connect(database, read_only=True) as connection:
        try:
            rows = connection.execute(
                """
                select entity_type, entity_id, cost_usd, usual_cost_usd, beyond_usual_usd
                from marts.alert_contributors
                where alert_id = $1 and contributor_rank <= 3 and entity_id != '(unattributed)' and beyond_usual_usd > 0
                    and list_contains(
                        ['tenant', 'endpoint', 'model', 'prompt_version', 'agent', 'workflow', 'user', 'run'],
                        entity_type
                    )
                order by entity_type, contributor_rank
                """,
                [alert_id],
            ).fetchall()
        except duckdb.CatalogException as error:
            raise UserError(f"{database} {NOT_BUILT}", exit_code=1) from error
    return [Contributor(*row) for row in rows]


def _contributor_table(contributors: Sequence[Contributor]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("")
    table.add_column("", overflow="fold")
    for name in ("cost", "usual", "beyond"):
        table.add_column(name, justify="right", no_wrap=True)
    for one in contributors:
        amounts = (usd(one.cost), usd(one.usual), usd(one.beyond))
        table.add_row(one.entity_type.replace("_", " "), Text(one_line(one.entity_id)), *amounts)
    return table


def _grid(rows: Sequence[tuple[str, str]], without: Sequence[str]) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column()
    grid.add_column(overflow="fold")
    for label, value in rows:
        if label not in without:
            grid.add_row(Text(label, style="dim"), Text(value))
    return grid


def _section(console: Console, title: str, lines: Sequence[Table | Text]) -> None:
    console.print()
    console.print(title, style="bold", highlight=False)
    for line in lines:
        console.print(line, highlight=False, soft_wrap=isinstance(line, Text))


def _opened(incident: Incident) -> date:
    return datetime.fromisoformat(incident["opened_at"][:19]).date()


def _style(incident: Incident) -> str:
    return STYLES.get(incident["severity"], "")
