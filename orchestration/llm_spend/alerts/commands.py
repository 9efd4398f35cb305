"""`llm-spend alerts ack`, `silence`, `deliver` and `test-channel`: what Dagster does, and what only a person can."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from llm_spend import paths, summary
from llm_spend.errors import UserError

app = typer.Typer()

out = Console()
err = Console(stderr=True)

DatabaseOption = Annotated[
    Path | None,
    typer.Option("--db", help="DuckDB file. Default: LLM_SPEND_DUCKDB_PATH, else target/llm_spend.duckdb."),
]


@app.command("deliver")
def deliver(
    retry_dead: Annotated[
        bool, typer.Option("--retry-dead", help="First let what a channel refused for good wait again.")
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """Tell every channel what is new since the last delivery."""
    from llm_spend.alerts.deliver import default_outbox
    from llm_spend.alerts.outbox import open_outbox

    if retry_dead:
        with open_outbox(default_outbox()) as box:
            _say(f"{summary.count(box.revive(), 'dead letter')} tried again")
    deliver_and_report(database or paths.default_database(), out, err)


@app.command("ack")
def acknowledge(
    alert_id: Annotated[str, typer.Argument(help="The id of an open alert, or how it begins.")],
    by: Annotated[str, typer.Option("--by", help="Who takes it.")],
    note: Annotated[str | None, typer.Option("--note", help="What is being done.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Take an incident: the next delivery says so, and it is not told again unless it gets more severe."""
    from llm_spend.alerts.deliver import default_outbox
    from llm_spend.alerts.incidents import read_incidents
    from llm_spend.alerts.messages import entity
    from llm_spend.alerts.outbox import Acknowledgement, open_outbox

    if not by.strip():
        raise UserError("--by is blank: say who takes it")
    known = [one for one in read_incidents(database or paths.default_database()) if one["status"] == "open"]
    found = [one for one in known if one["alert_id"].startswith(alert_id)]
    if len(found) != 1:
        what = "no open alert begins" if not found else f"{len(found)} open alerts begin"
        raise UserError(f"{what} with {alert_id}: the id is the last line of its message")
    with open_outbox(default_outbox(), wait_seconds=None) as box:
        box.acknowledge(found[0]["alert_id"], Acknowledgement(by.strip(), note, _now()))
    _say(f"{found[0]['rule_id']} of {entity(found[0])} is {by.strip()}'s now")


@app.command("silence")
def silence(
    by: Annotated[str | None, typer.Option("--by", help="Who decides it.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, such as a planned backfill.")] = None,
    hours: Annotated[float | None, typer.Option("--hours", min=0, help="How long from now, or from --from.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Until when, ISO 8601, UTC unless it says.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="From when, ISO 8601. Default: now.")] = None,
    severity: Annotated[str | None, typer.Option("--severity", help="Only these incidents.")] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="Only incidents of this rule.")] = None,
    entity_type: Annotated[str | None, typer.Option("--entity-type", help="Only of such entities.")] = None,
    entity: Annotated[str | None, typer.Option("--entity", help="Only of this entity.")] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only of this owner.")] = None,
    end: Annotated[str | None, typer.Option("--end", help="End this silence now.")] = None,
) -> None:
    """Record what matches without telling anybody; alone, list the silences that hold or will."""
    from llm_spend.alerts.deliver import default_outbox
    from llm_spend.alerts.incidents import SEVERITIES
    from llm_spend.alerts.outbox import open_outbox
    from llm_spend.alerts.routing import Matcher

    matcher = Matcher(severity, rule, entity_type, entity, owner)
    is_new = any(value is not None for value in (by, reason, hours, until, start)) or matcher.parts()
    with open_outbox(default_outbox(), wait_seconds=None) as box:
        if end:
            if not box.end_silence(end, _now()):
                raise UserError(f"--end {end}: no such silence; llm-spend alerts silence lists them")
            _say(f"{end} has ended")
        elif not is_new:
            for one in box.silences(_now()):
                _say(f"{one.starts_at:%Y-%m-%d %H:%M} to {one.ends_at:%Y-%m-%d %H:%M} UTC  {one.matcher}  ({one})")
        else:
            if not (by or "").strip() or not (reason or "").strip():
                raise UserError("--by and --reason are missing: a silence has an author and a reason")
            if severity and severity not in SEVERITIES:
                raise UserError(f"--severity {severity}: it is {', '.join(SEVERITIES)}")
            starts_at = _moment("--from", start) if start else _now()
            if (hours is None) == (until is None):
                raise UserError("--hours or --until is missing: say how long, in one way")
            ends_at = _moment("--until", until) if until else starts_at + timedelta(hours=hours)
            if ends_at <= max(starts_at, _now()):
                raise UserError(
                    f"the silence would end at {ends_at:%Y-%m-%d %H:%M} UTC, before it starts or before now:"
                    " choose a later --until or longer --hours"
                )
            made = box.silence(matcher, by.strip(), reason.strip(), starts_at, ends_at)
            _say(
                f"{made.silence_id}: {matcher} is silent from {starts_at:%Y-%m-%d %H:%M} to"
                f" {ends_at:%Y-%m-%d %H:%M} UTC; llm-spend alerts silence --end {made.silence_id} ends it"
            )


@app.command("test-channel")
def try_channel(
    name: Annotated[str, typer.Argument(help="The channel, as alert_routes.csv names it.")],
    database: DatabaseOption = None,
) -> None:
    """Send a trial message, and say what became of it."""
    from llm_spend.alerts.deliver import configured

    _, channels = configured(database or paths.default_database(), out)
    known = {channel.name: channel for channel in channels}
    if name not in known:
        raise UserError(f"there is no channel {name}; the channels are {', '.join(known)}")
    outcome = known[name].send_trial(_now())
    if outcome.status != "sent":
        raise UserError(f"{name} did not take the message: {outcome.error}", exit_code=1)
    _say(f"{name} took the message")


def deliver_and_report(database: Path, out: Console, err: Console) -> None:
    """Deliver; what waits is a warning, what was refused for good a UserError with exit code 1."""
    from llm_spend.alerts.deliver import deliver_configured

    report = deliver_configured(database, out, _now())
    for channel in report.channels:
        if channel.pending:
            err.print(
                f"[yellow]warning:[/yellow] {summary.count(channel.pending, 'alert')} for {channel.name} wait for the"
                f" next run: {escape(channel.last_error or 'the most one run sends is reached')}",
                highlight=False,
                soft_wrap=True,
            )
    if report.dead:
        refused = ", ".join(f"{channel.name} ({channel.last_error})" for channel in report.channels if channel.dead)
        raise UserError(
            f"{summary.count(report.dead, 'alert')} refused for good by {refused}: correct the channel, then"
            " llm-spend alerts deliver --retry-dead",
            exit_code=1,
        )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _moment(option: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option} {text}: not an ISO 8601 time, such as 2026-11-01T22:00") from None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _say(text: str) -> None:
    out.print(escape(text), highlight=False, soft_wrap=True)
