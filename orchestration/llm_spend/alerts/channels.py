"""Where alerts go. A channel only sends: what is new and what arrived is the outbox's."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llm_spend.alerts import pagerduty, slack, webhook
from llm_spend.alerts.http import post, post_json, silent
from llm_spend.alerts.messages import details, entity, line, minute, one_line, plain, title, usd
from llm_spend.alerts.news import INFO, Event
from llm_spend.alerts.outbox import SENT, Outcome, Row
from llm_spend.alerts.routing import ROUTES_FILE, Route
from llm_spend.errors import UserError

SLACK_URL_VARIABLE = "LLM_SPEND_SLACK_WEBHOOK_URL"
PAGERDUTY_URL_VARIABLE = "LLM_SPEND_PAGERDUTY_URL"
PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue"
MESSAGES_PER_RUN = 20
"""A person reads no more at once; the rest waits for the next run."""
SLACK_MESSAGES_PER_MINUTE = 60
LINE_LENGTH = 500
TRIAL = "llm-spend: this channel works"

_STYLES = {"critical": "bold red", "warning": "yellow", "info": "blue"}


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One place where alerts go. The limits are None where nobody is interrupted.

    `has_digest`: what is only for information comes there once a day, in lists. `is_record`: it holds everything,
    silenced or not.
    """

    name: str
    messages_per_run: int | None = MESSAGES_PER_RUN
    messages_per_minute: int | None = None
    has_digest: ClassVar[bool] = False
    is_record: ClassVar[bool] = False

    def takes(self, event: Event, heard: Event | None, severity: str) -> bool:
        """Whether there is a message for this event of such an incident, when the last one was `heard`."""
        return event != "notice"

    def send(self, row: Row, now: datetime) -> Outcome:
        """Send one incident in full."""
        raise NotImplementedError

    def send_list(self, heading: str, rows: Sequence[Row], now: datetime) -> Outcome:
        """Send incidents that need no message of their own as one."""
        raise NotImplementedError

    def send_text(self, heading: str, text: str, now: datetime) -> Outcome:
        """Send a notice, or say how many messages wait."""
        raise NotImplementedError

    def send_trial(self, now: datetime) -> Outcome:
        """Send what shows a person that the channel works."""
        return self.send_text(TRIAL, "Nothing is wrong.", now)


@dataclass(frozen=True, kw_only=True)
class ConsoleChannel(Channel):
    """Prints for a person, readable in 80 columns."""

    console: Console
    name: str = "console"

    def send(self, row: Row, now: datetime) -> Outcome:
        grid = _grid(2)
        for label, value in details(row.event, row.incident):
            grid.add_row(Text(label, style="dim"), Text(value))
        self.console.print()
        self.console.print(Text(title(row.event, row.incident), style=_style(row)))
        self.console.print(grid)
        return SENT

    def send_list(self, heading: str, rows: Sequence[Row], now: datetime) -> Outcome:
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
        self.console.print(Text(heading, style="bold"))
        self.console.print(grid)
        return SENT

    def send_text(self, heading: str, text: str, now: datetime) -> Outcome:
        self.console.print()
        self.console.print(Text(heading, style="bold"))
        if text:
            self.console.print(Text(text))
        return SENT


@dataclass(frozen=True, kw_only=True)
class JsonlChannel(Channel):
    """Appends one JSON object per event: every column of `marts.alerts`, `event` and `delivered_at`."""

    path: Path
    name: str = "jsonl"
    messages_per_run: int | None = None
    is_record: ClassVar[bool] = True

    def send(self, row: Row, now: datetime) -> Outcome:
        return self.send_list("", [row], now)

    def send_list(self, heading: str, rows: Sequence[Row], now: datetime) -> Outcome:
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

    def send_text(self, heading: str, text: str, now: datetime) -> Outcome:
        return SENT


@dataclass(frozen=True, kw_only=True)
class RemoteChannel(Channel):
    """A channel whose address is a secret: never printed, logged or stored."""

    address: str = field(repr=False)
    budget_seconds: float = 20

    def takes(self, event: Event, heard: Event | None, severity: str) -> bool:
        return True


@dataclass(frozen=True, kw_only=True)
class SlackChannel(RemoteChannel):
    """Posts to a Slack incoming webhook, one message a second."""

    name: str = "slack"
    messages_per_minute: int | None = SLACK_MESSAGES_PER_MINUTE
    has_digest: ClassVar[bool] = True

    def send(self, row: Row, now: datetime) -> Outcome:
        return post_json(self.address, slack.alert_message(row), self.budget_seconds)

    def send_list(self, heading: str, rows: Sequence[Row], now: datetime) -> Outcome:
        return post_json(self.address, slack.list_message(heading, rows), self.budget_seconds)

    def send_text(self, heading: str, text: str, now: datetime) -> Outcome:
        return post_json(self.address, slack.text_message(heading, text), self.budget_seconds)


@dataclass(frozen=True, kw_only=True)
class PagerDutyChannel(RemoteChannel):
    """Pages people. The address is the integration's routing key."""

    url: str = PAGERDUTY_URL

    def takes(self, event: Event, heard: Event | None, severity: str) -> bool:
        # A second end of what is over could close the next incident of the same rule and entity.
        is_second_end = event == "withdrawn" and heard in ("resolved", "past")
        return event in pagerduty.ACTIONS and not is_second_end and not (event == "opened" and severity == INFO)

    def send(self, row: Row, now: datetime) -> Outcome:
        return post_json(self.url, pagerduty.event(row, self.address), self.budget_seconds)

    def send_text(self, heading: str, text: str, now: datetime) -> Outcome:
        return SENT

    def send_trial(self, now: datetime) -> Outcome:
        outcomes = [
            post_json(self.url, event, self.budget_seconds) for event in pagerduty.trial(self.address, TRIAL, now)
        ]
        return next((outcome for outcome in outcomes if outcome.status != "sent"), SENT)


@dataclass(frozen=True, kw_only=True)
class WebhookChannel(RemoteChannel):
    """Posts signed JSON to any program."""

    secret: str = field(repr=False)

    def send(self, row: Row, now: datetime) -> Outcome:
        return self._post(webhook.incident_body(row), row.key)

    def send_list(self, heading: str, rows: Sequence[Row], now: datetime) -> Outcome:
        return self._post(webhook.list_body(heading, rows), rows[0].key)

    def send_text(self, heading: str, text: str, now: datetime) -> Outcome:
        return self._post({"event": "notice", "heading": heading, "text": text}, f"notice:{heading}")

    def _post(self, body: object, delivery: str) -> Outcome:
        sent = webhook.encoded(body)
        headers = webhook.signed_headers(self.secret, sent, delivery, int(time.time()))
        return post(self.address, sent, self.budget_seconds, headers)


@dataclass(frozen=True, kw_only=True)
class AppriseChannel(RemoteChannel):
    """E-mail, Teams, Discord and whatever else the apprise library knows a URL for, as plain text."""

    has_digest: ClassVar[bool] = True

    def send(self, row: Row, now: datetime) -> Outcome:
        body = "\n".join(f"{label}: {value}" for label, value in details(row.event, row.incident))
        return self.send_text(title(row.event, row.incident), body, now)

    def send_list(self, heading: str, rows: Sequence[Row], now: datetime) -> Outcome:
        lines = (line(row.event, row.incident, LINE_LENGTH) for row in rows)
        return self.send_text(heading, "\n".join(lines), now)

    def send_text(self, heading: str, text: str, now: datetime) -> Outcome:
        body = "\n".join(plain(one_line(part, LINE_LENGTH)) for part in text.splitlines()) or heading
        with silent():
            import apprise

            there = apprise.Apprise(self.address)
            took = there.notify(title=plain(one_line(heading)), body=body, body_format=apprise.NotifyFormat.TEXT)
        return SENT if took else Outcome("pending", "apprise could not deliver")


def channels(
    routes: Sequence[Route], environment: Mapping[str, str], console: Console, jsonl_path: Path
) -> list[Channel]:
    """Console and JSONL always, and the channels of the routes; without any, Slack when its variable is set.

    UserError, which names the row and never the secret, where a variable is missing or holds no address.
    """
    always: list[Channel] = [ConsoleChannel(console=console), JsonlChannel(path=jsonl_path)]
    if routes:
        return always + [_channel(route, environment) for route in {route.channel: route for route in routes}.values()]
    url = environment.get(SLACK_URL_VARIABLE, "").strip()
    if not url:
        return always
    if not _is_http(url):
        raise UserError(f"{SLACK_URL_VARIABLE} is no https address: copy it from the Slack app's Incoming Webhooks")
    return [*always, SlackChannel(address=url)]


def _channel(route: Route, environment: Mapping[str, str]) -> Channel:
    address = _value(route, route.address_variable, _WANTED[route.kind], environment)
    if route.kind in ("slack", "webhook") and not _is_http(address):
        raise _wrong(route, f"{route.address_variable} is no https address: set it to {_WANTED[route.kind]}")
    if route.kind == "slack":
        channel: Channel = SlackChannel(name=route.channel, address=address)
    elif route.kind == "pagerduty":
        url = environment.get(PAGERDUTY_URL_VARIABLE, "").strip() or PAGERDUTY_URL
        channel = PagerDutyChannel(name=route.channel, address=address, url=url)
    elif route.kind == "webhook":
        secret = _value(route, route.secret_variable, "the secret that signs its messages", environment)
        channel = WebhookChannel(name=route.channel, address=address, secret=secret)
    elif _is_apprise(address):
        channel = AppriseChannel(name=route.channel, address=address)
    else:
        raise _wrong(
            route, f"{route.address_variable} is no address that apprise knows: set it to {_WANTED['apprise']}"
        )
    limits = {
        limit: getattr(route, limit)
        for limit in ("messages_per_run", "messages_per_minute")
        if getattr(route, limit) is not None
    }
    return replace(channel, **limits)


_WANTED = {
    "slack": "the webhook's https address",
    "pagerduty": "the integration's routing key",
    "webhook": "the receiver's https address",
    "apprise": "the channel's apprise URL, such as mailto://user:password@mail.example",
}


def _value(route: Route, variable: str | None, wanted: str, environment: Mapping[str, str]) -> str:
    value = environment.get(variable or "", "").strip()
    if not value:
        raise _wrong(route, f"{variable} is not set in the environment: set it to {wanted}")
    return value


def _wrong(route: Route, text: str) -> UserError:
    where = f"{ROUTES_FILE}, line {route.line}" if route.line else ROUTES_FILE
    return UserError(f"{where}: channel {route.channel}: {text}")


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)


def _is_apprise(url: str) -> bool:
    with silent():
        import apprise

        return bool(apprise.Apprise().add(url))


def _grid(columns: int) -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(columns):
        grid.add_column(overflow="fold")
    return grid


def _style(row: Row) -> str:
    return _STYLES.get(row.incident["severity"], "")
