"""Where alerts go. A channel only sends: what is new and what arrived is the outbox's."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llm_spend.alerts import slack
from llm_spend.alerts.http import post_json
from llm_spend.alerts.messages import details, entity, history_heading, minute, more, one_line, title, usd
from llm_spend.alerts.outbox import SENT, Outcome, Row
from llm_spend.errors import UserError

SLACK_URL_VARIABLE = "LLM_SPEND_SLACK_WEBHOOK_URL"
MESSAGES_PER_RUN = 20
"""A person reads no more at once; the rest waits for the next run."""

_STYLES = {"critical": "bold red", "warning": "yellow", "info": "blue"}


class Channel(Protocol):
    """One place where alerts go. `messages_per_run` is None where nobody is interrupted."""

    name: str
    messages_per_run: int | None

    def send(self, row: Row, now: datetime) -> Outcome:
        """Send one incident in full."""

    def send_history(self, rows: Sequence[Row], now: datetime) -> Outcome:
        """Send incidents that were over long ago as one message."""

    def send_remainder(self, count: int) -> Outcome:
        """Say how many messages wait for the next run."""


@dataclass(frozen=True)
class ConsoleChannel:
    """Prints for a person, readable in 80 columns."""

    console: Console
    name: ClassVar[str] = "console"
    messages_per_run: ClassVar[int | None] = MESSAGES_PER_RUN

    def send(self, row: Row, now: datetime) -> Outcome:
        grid = _grid(2)
        for label, value in details(row.event, row.incident):
            grid.add_row(Text(label, style="dim"), Text(value))
        self.console.print()
        self.console.print(Text(title(row.event, row.incident), style=_style(row)))
        self.console.print(grid)
        return SENT

    def send_history(self, rows: Sequence[Row], now: datetime) -> Outcome:
        grid = _grid(4)
        for row in rows:
            incident = row.incident
            grid.add_row(
                f"{minute(incident['opened_at'])[:10]} to {minute(incident['resolved_at'])[5:10]}",
                Text(one_line(incident["severity"]), style=_style(row)),
                Text(f"{one_line(incident['rule_id'])} {entity(incident)}"),
                usd(incident["impact_usd"]),
            )
        self.console.print()
        self.console.print(Text(history_heading(len(rows)), style="bold"))
        self.console.print(grid)
        return SENT

    def send_remainder(self, count: int) -> Outcome:
        self.console.print()
        self.console.print(Text(more(count), style="bold"))
        return SENT


@dataclass(frozen=True)
class JsonlChannel:
    """Appends one JSON object per event: every column of `marts.alerts`, `event` and `delivered_at`."""

    path: Path
    name: ClassVar[str] = "jsonl"
    messages_per_run: ClassVar[int | None] = None

    def send(self, row: Row, now: datetime) -> Outcome:
        return self.send_history([row], now)

    def send_history(self, rows: Sequence[Row], now: datetime) -> Outcome:
        delivered_at = now.isoformat() + "Z"
        objects = ({**row.incident, "event": row.event, "delivered_at": delivered_at} for row in rows)
        lines = "".join(json.dumps(value) + "\n" for value in objects)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            # A crash can leave half a line: it must not spoil this one.
            starts_clean = not file.tell() or (file.seek(-1, os.SEEK_END), file.read())[1] == b"\n"
            file.write((lines if starts_clean else "\n" + lines).encode())
            file.flush()
            os.fsync(file.fileno())
        return SENT

    def send_remainder(self, count: int) -> Outcome:
        return SENT


@dataclass(frozen=True)
class SlackChannel:
    """Posts to a Slack incoming webhook. Its address is a secret: never printed, logged or stored."""

    url: str = field(repr=False)
    budget_seconds: float = 30
    name: ClassVar[str] = "slack"
    messages_per_run: ClassVar[int | None] = MESSAGES_PER_RUN

    def send(self, row: Row, now: datetime) -> Outcome:
        return post_json(self.url, slack.alert_message(row), self.budget_seconds)

    def send_history(self, rows: Sequence[Row], now: datetime) -> Outcome:
        return post_json(self.url, slack.history_message(rows), self.budget_seconds)

    def send_remainder(self, count: int) -> Outcome:
        return post_json(self.url, slack.remainder_message(count), self.budget_seconds)


def channels_from_environment(console: Console, jsonl_path: Path) -> list[Channel]:
    """Console and JSONL always; Slack when LLM_SPEND_SLACK_WEBHOOK_URL is set."""
    channels: list[Channel] = [ConsoleChannel(console), JsonlChannel(jsonl_path)]
    url = os.environ.get(SLACK_URL_VARIABLE, "").strip()
    if url:
        if not _is_http(url):
            raise UserError(f"{SLACK_URL_VARIABLE} is no https address: copy it from the Slack app's Incoming Webhooks")
        channels.append(SlackChannel(url))
    return channels


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)


def _grid(columns: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(columns):
        grid.add_column(overflow="fold")
    return grid


def _style(row: Row) -> str:
    return _STYLES.get(row.incident["severity"], "")
