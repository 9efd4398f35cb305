"""`llm-spend alerts ack`, `silence`, `deliver` and `test-channel`, as a person types them."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner

from alerting import CANARY, Endpoint, incident, serving, write_alerts
from llm_spend import cli
from llm_spend.alerts import commands
from llm_spend.errors import UserError


class Desk:
    """A warehouse, an outbox and Slack, and somebody who types."""

    def __init__(self, database: Path, home: Path, slack: Endpoint) -> None:
        self.database, self.home, self.slack = database, home, slack

    def types(self, *arguments: str, **options: Any) -> str:
        with_database = [] if arguments[0] == "silence" else ["--db", str(self.database)]
        result = CliRunner().invoke(cli.app, ["alerts", *arguments, *with_database], **options)
        if isinstance(result.exception, UserError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return " ".join(result.output.split())

    def told(self) -> list[str]:
        return [body["text"] for body in self.slack.accepted]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setattr(commands, "out", Console(width=200))
    with serving() as slack:
        monkeypatch.setenv("LLM_SPEND_SLACK_WEBHOOK_URL", slack.url)
        yield Desk(tmp_path / "spend.duckdb", tmp_path, slack)


def said(desk: Desk, *arguments: str) -> str:
    """The one line of a refusal, and that it is wrong usage."""
    with pytest.raises(UserError) as caught:
        desk.types(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_incident_is_taken_by_the_beginning_of_its_id(desk: Desk) -> None:
    write_alerts(desk.database, incident("a-111"), incident("a-122"))
    desk.types("deliver")
    assert said(desk, "ack", "a-1", "--by", "ann") == (
        "2 open alerts begin with a-1: the id is the last line of its message"
    )
    assert said(desk, "ack", "b", "--by", "ann").startswith("no open alert begins with b")
    assert said(desk, "ack", "a-12", "--by", " ") == "--by is blank: say who takes it"
    assert desk.types("ack", "a-12", "--by", "ann") == "hourly_spend_spike of total is ann's now"
    desk.types("deliver")
    assert desk.told()[2:] == ["CRITICAL hourly_spend_spike · total · acknowledged"]
    assert "Taken by: ann" in desk.slack.accepted[2]["blocks"][1]["text"]["text"]


def test_a_silence_holds_until_it_ends(desk: Desk) -> None:
    write_alerts(desk.database, incident("a-1"))
    made = desk.types(
        "silence", "--by", "ann", "--reason", "a backfill", "--hours", "2", "--rule", "hourly_spend_spike"
    )
    (name,) = set(re.findall(r"s-[0-9a-f]{6}", made))
    assert f"{name}: rule_id hourly_spend_spike is silent from" in made
    desk.types("deliver")
    assert desk.told() == []
    assert f"rule_id hourly_spend_spike ({name} of ann: a backfill)" in desk.types("silence")
    assert desk.types("silence", "--end", name) == f"{name} has ended"
    desk.types("deliver")
    assert desk.told() == ["CRITICAL hourly_spend_spike · total · open"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--hours", "2"], "--by and --reason are missing"),
        (["--by", "ann", "--reason", " ", "--hours", "2"], "--by and --reason are missing"),
        (["--by", "ann", "--reason", "x"], "--hours or --until is missing: say how long, in one way"),
        (["--by", "ann", "--reason", "x", "--hours", "1", "--until", "2099-01-01"], "--hours or --until is missing"),
        (["--by", "ann", "--reason", "x", "--until", "2026-01-01"], "the silence would end at 2026-01-01 00:00 UTC"),
        (
            ["--by", "ann", "--reason", "x", "--from", "2099-01-02T00:00+02:00", "--until", "2099-01-01T22:00"],
            "the silence would end at 2099-01-01 22:00 UTC, before it starts or before now: choose a later --until",
        ),
        (["--by", "ann", "--reason", "x", "--until", "soon"], "--until soon: not an ISO 8601 time, such as"),
        (["--by", "ann", "--reason", "x", "--hours", "1", "--severity", "high"], "--severity high: it is critical, wa"),
        (["--end", "s-000000"], "--end s-000000: no such silence; llm-spend alerts silence lists them"),
    ],
)
def test_a_silence_that_cannot_be_is_refused(desk: Desk, arguments: list[str], says: str) -> None:
    assert said(desk, "silence", *arguments).startswith(says)


def test_what_was_refused_for_good_is_tried_again_on_demand(desk: Desk) -> None:
    write_alerts(desk.database, incident("a-1"))
    desk.slack.answers = [(404, {})]
    refused = said(desk, "deliver")
    assert refused == (
        "1 alert refused for good by slack (HTTP 404): correct the channel, then llm-spend alerts deliver --retry-dead"
    )
    assert desk.told() == []
    assert desk.types("deliver", "--retry-dead") == "1 dead letter tried again"
    assert desk.told() == ["CRITICAL hourly_spend_spike · total · open"]


def test_routes_and_silences_come_from_the_warehouse(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    write_alerts(desk.database, incident("a-1"), incident("a-2", owner="ann"), incident("a-3", entity_id="acme"))
    matchers = "severity text, rule_id text, entity_type text, entity_id text, owner text"
    with duckdb.connect(str(desk.database)) as connection:
        connection.execute(
            f"""
            create schema staging; create schema raw;
            create table raw.alert_routes (channel text);
            insert into raw.alert_routes values ('chat'), ('pager');
            create table staging.stg_config__alert_routes (
                channel text, kind text, address_variable text, secret_variable text, {matchers}, repeat_hours bigint,
                messages_per_run bigint, messages_per_minute bigint
            );
            insert into staging.stg_config__alert_routes (channel, kind, address_variable, owner)
            values ('chat', 'slack', 'CHAT_URL', null), ('pager', 'slack', 'PAGER_URL', 'ann');
            create table staging.stg_config__alert_silences (
                {matchers}, starts_at timestamp, ends_at timestamp, author text, reason text
            );
            insert into staging.stg_config__alert_silences (entity_id, starts_at, ends_at, author, reason)
            values ('acme', timestamp '2026-01-01', timestamp '2099-01-01', 'ann', 'a migration');
            """
        )
    monkeypatch.setenv("CHAT_URL", desk.slack.url)
    missing = said(desk, "deliver")
    assert missing == (
        "alert_routes.csv, line 3: channel pager: PAGER_URL is not set in the environment:"
        " set it to the webhook's https address"
    )
    monkeypatch.setenv("PAGER_URL", desk.slack.url)
    desk.types("deliver")
    with closing(sqlite3.connect(desk.home / "llm_spend_outbox.sqlite")) as connection:
        rows = connection.execute(
            "select channel, alert_id, status, silenced_by from outbox where channel in ('chat', 'pager') order by 1, 2"
        ).fetchall()
    silence = "alert_silences.csv 2026-01-01 00:00 of ann: a migration"
    assert rows == [
        ("chat", "a-1", "sent", None),
        ("chat", "a-2", "sent", None),
        ("chat", "a-3", "silenced", silence),
        ("pager", "a-2", "sent", None),
    ]


def test_a_channel_is_tried(desk: Desk) -> None:
    write_alerts(desk.database)
    assert desk.types("test-channel", "slack") == "slack took the message"
    assert desk.told() == ["llm-spend: this channel works"]
    assert said(desk, "test-channel", "mail") == ("there is no channel mail; the channels are console, jsonl, slack")
    desk.slack.default = (403, {})
    assert said(desk, "test-channel", "slack") == "slack did not take the message: HTTP 403"


def test_a_postgres_that_is_not_there_is_said_without_its_password(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    write_alerts(desk.database, incident("a-1"))
    secret = CANARY.replace("/", "-")
    monkeypatch.setenv("LLM_SPEND_OUTBOX_URL", f"postgresql://ann:{secret}@127.0.0.1:9/none")
    assert secret not in said(desk, "deliver")
    monkeypatch.setenv("LLM_SPEND_OUTBOX_URL", f"mysql://ann:{secret}@127.0.0.1:9/none")
    assert said(desk, "deliver") == (
        "LLM_SPEND_OUTBOX_URL is no postgresql:// address: correct it, or unset it to use a file"
    )
