"""What each service is sent: PagerDuty's events, the webhook's signed JSON, mail without markup; and no secret."""

import hashlib
import hmac
import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from alerting import CANARY, NOW, RESOLVED, Endpoint, incident, serving, write_alerts
from bad_services import BadServices, bad_services
from llm_spend.alerts import pagerduty
from llm_spend.alerts.channels import PAGERDUTY_URL_VARIABLE, Channel, PagerDutyChannel, channels
from llm_spend.alerts.deliver import deliver
from llm_spend.alerts.messages import plain
from llm_spend.alerts.routing import Matcher, Route, Routing
from llm_spend.alerts.webhook import signed_headers
from llm_spend.errors import UserError

HOSTILE = "=cmd|'/c calc'!A1 <!channel> @everyone <b>x</b>\n[click](https://evil.example)\u202e"
MAIL = "mailto://127.0.0.1/?from=a@acme.example&to=b@acme.example"


def route(kind: str, **fields: object) -> Route:
    given = Route("ops", kind, "OPS_ADDRESS", "OPS_SECRET", Matcher(), None, None, None, line=3)
    return replace(given, **fields)


def channel(one: Route, environment: dict[str, str]) -> Channel:
    return channels([one], environment, Console(file=io.StringIO()), Path("unused.jsonl"))[-1]


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as served:
        yield served


@pytest.fixture
def world(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "spend.duckdb", tmp_path / "outbox.sqlite"


def test_pagerduty_is_told_of_beginning_taking_and_end_by_one_key(world: tuple[Path, Path], endpoint: Endpoint) -> None:
    endpoint.default = (202, {})
    pager = channel(route("pagerduty"), {"OPS_ADDRESS": "routing-key", PAGERDUTY_URL_VARIABLE: endpoint.url})
    database, outbox = world
    for hour, changes in enumerate(({}, RESOLVED)):
        write_alerts(database, incident("a-1", fingerprint="f-1", **changes))
        assert deliver(database, outbox, [pager], NOW + timedelta(hours=hour)).is_complete
    begins, ends = endpoint.accepted
    assert begins["routing_key"] == "routing-key"
    assert (begins["event_action"], begins["dedup_key"]) == ("trigger", "f-1")
    assert begins["payload"]["summary"] == "CRITICAL hourly_spend_spike · total · open"
    assert begins["payload"]["severity"] == "critical"
    assert begins["payload"]["timestamp"] == "2026-08-03T15:00:00Z"
    assert begins["payload"]["custom_details"]["Impact"] == "$1,050.00"
    assert ends == {"routing_key": "routing-key", "event_action": "resolve", "dedup_key": "f-1"}
    assert pagerduty.ACTIONS["acknowledged"] == "acknowledge"


@pytest.mark.parametrize("name", ["x" * 600_000, "\N{PILE OF POO}" * 5000])
def test_no_name_makes_an_event_that_pagerduty_refuses(world: tuple[Path, Path], endpoint: Endpoint, name: str) -> None:
    hostile = {"entity_id": name, "likely_cause": name, "owner": name, "rule_id": name, "fingerprint": name}
    write_alerts(world[0], incident("a-1", **hostile, evidence=json.dumps({"top_tenant": name})))
    deliver(*world, [PagerDutyChannel(name="p", address="key", url=endpoint.url)], NOW)
    (event,) = endpoint.accepted
    assert len(event["payload"]["summary"]) <= 1024
    assert len(event["dedup_key"]) <= 255
    assert len(json.dumps(event)) <= 512 * 1024


def test_a_signature_is_that_of_the_documented_recipe() -> None:
    """HMAC-SHA-256 with the key `s` over `1.{}`, worked with `printf '1.{}' | openssl dgst -sha256 -hmac s`."""
    assert signed_headers("s", b"{}", "a-1:opened", 1) == {
        "X-LLM-Spend-Timestamp": "1",
        "X-LLM-Spend-Signature": "v1=b253639bcd705ed1cda3073f66104f16988bd40272584dea7d0d345ae93e61cc",
        "X-LLM-Spend-Delivery": "a-1:opened",
    }


def test_the_webhook_sends_the_fields_that_dashboards_ask_for(world: tuple[Path, Path], endpoint: Endpoint) -> None:
    """47.32 USD for 1.25 million tokens of the day are 37.856 a million; 7.5 for 0.5 million of the week before, 15."""
    database, outbox = world
    write_alerts(
        database,
        incident("a-1", entity_type="agent", entity_id="support_bot_v2", rule_id="budget_warning", severity="warning",
                 metric="daily_cost", threshold_value=50.0, observed_value=47.32),
    )  # fmt: skip
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            "create table marts.package_settings as select * from (values ('as_of', '2026-08-04 05:00:00'),"
            " ('reporting_timezone', 'UTC')) as settings (setting, setting_value);"
            " create table marts.entity_daily_spend as select * from (values"
            " ('agent', 'support_bot_v2', date '2026-08-03', 47.32::decimal(28, 12), 1000000, 250000, 'gpt-4o'),"
            " ('agent', 'support_bot_v2', date '2026-08-02', 6, 400000, 10000, 'gpt-4o-mini'),"
            " ('agent', 'support_bot_v2', date '2026-07-27', 1.5, 80000, 10000, 'gpt-4o-mini'),"
            " ('agent', 'support_bot_v2', date '2026-07-26', 99, 1, 1, 'gpt-4o'),"
            " ('agent', 'other', date '2026-08-03', 99, 1, 1, 'gpt-4o')"
            ") as spend (entity_type, entity_id, usage_date, cost_usd, input_tokens, output_tokens,"
            " most_expensive_model)"
        )
    hook = channel(route("webhook"), {"OPS_ADDRESS": endpoint.url, "OPS_SECRET": "key"})
    deliver(database, outbox, [hook], NOW)
    ((headers, body),) = endpoint.requests
    sent = json.loads(body)
    assert sent["agent_id"] == "support_bot_v2"
    assert sent["daily_spend_usd"] == 47.32
    assert sent["token_count"] == 1_250_000
    assert sent["most_expensive_model"] == "gpt-4o"
    assert sent["alerts"] == [
        {"type": "budget_warning", "threshold_usd": 50.0, "current_usd": 47.32, "severity": "warning"}
    ]
    assert (sent["baseline_cost_per_mtok"], sent["current_cost_per_mtok"]) == (15.0, 37.856)
    assert (sent["anomaly_detected"], sent["alert_type"], sent["change_percent"]) == (True, "budget_warning", 525.0)
    assert sent["likely_cause"] == "A runaway loop or a burst of traffic"
    assert sent["recommended_action"] == "Stop the run or limit its rate"
    assert sent["incident"]["alert_id"] == "a-1"
    signed = hmac.new(b"key", headers["X-LLM-Spend-Timestamp"].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert headers["X-LLM-Spend-Signature"] == f"v1={signed}"
    assert headers["X-LLM-Spend-Delivery"].startswith("a-1:opened:")


def test_old_numbers_say_so(world: tuple[Path, Path], endpoint: Endpoint) -> None:
    database, outbox = world
    hook = channel(route("webhook"), {"OPS_ADDRESS": endpoint.url, "OPS_SECRET": "key"})
    for number, as_of in enumerate(("2026-08-03 05:00:00", "2026-08-03 03:00:00")):
        write_alerts(database, incident(f"a-{number}"))
        with duckdb.connect(str(database)) as connection:
            connection.execute(
                "create or replace table marts.package_settings as select * from (values ('as_of', ?),"
                " ('reporting_timezone', 'UTC')) as settings (setting, setting_value);",
                [as_of],
            )
            connection.execute(
                "create table if not exists marts.entity_daily_spend (entity_type text, entity_id text,"
                " usage_date date, cost_usd decimal(28, 12), input_tokens bigint, output_tokens bigint,"
                " most_expensive_model text)"
            )
        deliver(database, outbox, [hook], NOW)
    opened = [body["incident"] for body in endpoint.accepted if body["event"] == "opened"]
    assert [body["stale_note"] for body in opened] == [None, "As of 2026-08-03 03:00 UTC, the last build."]


def test_names_are_no_formula_no_call_and_no_markup(world: tuple[Path, Path], endpoint: Endpoint) -> None:
    write_alerts(world[0], incident("a-1", entity_type="agent", entity_id=HOSTILE, likely_cause=HOSTILE, owner=HOSTILE))
    hook = channel(route("webhook"), {"OPS_ADDRESS": endpoint.url, "OPS_SECRET": "key"})
    deliver(*world, [hook], NOW)
    (sent,) = endpoint.accepted
    clean = (
        "'=cmd|'/c calc'!A1 \u2039!channel\u203a @ everyone \u2039b\u203ax\u2039/b\u203a [click] (https://evil.example)"
    )
    assert sent["agent_id"] == sent["likely_cause"] == sent["incident"]["owner"] == clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@sum", "'@sum"), ("a=1", "a=1"), ("ann@acme.example",) * 2],
)
def test_only_what_a_spreadsheet_would_run_is_quoted(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_mail_is_plain_text_of_whole_lines(world: tuple[Path, Path]) -> None:
    with bad_services(BadServices(1, fault_rate=0)) as services:
        address = MAIL.replace("127.0.0.1", f"127.0.0.1:{services.smtp_port}") + "&mode=insecure&format=html"
        write_alerts(world[0], incident("a-1", entity_type="tenant", entity_id=HOSTILE, likely_cause=HOSTILE))
        assert deliver(*world, [channel(route("apprise"), {"OPS_ADDRESS": address})], NOW).is_complete
        (mail,) = services.accepted
    assert "text/html" in mail.body
    assert not re.search("<b>|<!channel>|@everyone|\u202e", mail.body)
    assert set(mail.ids) == {"a-1"}


def test_apprise_writes_no_address_into_any_log(capfd: pytest.CaptureFixture, caplog: pytest.LogCaptureFixture) -> None:
    """Sent, refused and cut off, with every logger at DEBUG; afterwards they write again."""
    outcomes = set()
    with bad_services(BadServices(3, fault_rate=0.7)) as services, caplog.at_level(logging.DEBUG):
        address = f"mailto://127.0.0.1:{services.smtp_port}/?from=a@acme.example&to=s3cr3tcanary@acme.example"
        mail = channel(route("apprise"), {"OPS_ADDRESS": f"{address}&mode=insecure"})
        outcomes = {mail.send_text("a title", "a text", NOW).status for _ in range(20)}
        logging.getLogger("apprise").debug("writes again")
    assert outcomes == {"sent", "pending"}
    written = caplog.text + "".join(capfd.readouterr())
    assert "writes again" in written
    assert "s3cr3tcanary" not in written


@pytest.mark.parametrize(
    ("kind", "environment", "says"),
    [
        ("slack", {}, "OPS_ADDRESS is not set in the environment: set it to the webhook's https address"),
        ("slack", {"OPS_ADDRESS": CANARY}, "OPS_ADDRESS is no https address"),
        ("pagerduty", {"OPS_ADDRESS": " "}, "OPS_ADDRESS is not set in the environment: set it to the integration's"),
        ("webhook", {"OPS_ADDRESS": "https://x.example"}, "OPS_SECRET is not set in the environment: set it to the se"),
        ("webhook", {"OPS_ADDRESS": CANARY, "OPS_SECRET": "s"}, "OPS_ADDRESS is no https address"),
        ("apprise", {"OPS_ADDRESS": CANARY}, "OPS_ADDRESS is no address that apprise knows: set it"),
    ],
)
def test_a_missing_or_wrong_secret_stops_with_the_line_and_is_not_repeated(
    kind: str, environment: dict[str, str], says: str
) -> None:
    with pytest.raises(UserError) as caught:
        channel(route(kind), environment)
    assert str(caught.value).startswith(f"alert_routes.csv, line 3: channel ops: {says}")
    assert CANARY not in str(caught.value)


def test_no_channel_shows_its_secret() -> None:
    environment = {"OPS_ADDRESS": f"https://x.example/{CANARY}", "OPS_SECRET": CANARY}
    made = [channel(route(kind), environment) for kind in ("slack", "pagerduty", "webhook")]
    made.append(channel(route("apprise"), {"OPS_ADDRESS": f"jsons://user:{CANARY.replace('/', '-')}@x.example"}))
    assert "CANARY" not in repr(made)
    assert [type(one).__name__ for one in made] == [
        "SlackChannel", "PagerDutyChannel", "WebhookChannel", "AppriseChannel",
    ]  # fmt: skip


def test_a_route_sets_the_limits_of_its_channel() -> None:
    limited = route("slack", messages_per_run=5, messages_per_minute=6)
    made = channel(limited, {"OPS_ADDRESS": "https://x.example"})
    assert (made.messages_per_run, made.messages_per_minute) == (5, 6)
    usual = channel(route("slack"), {"OPS_ADDRESS": "https://x.example"})
    assert (usual.messages_per_run, usual.messages_per_minute) == (20, 60)


def test_routes_take_the_place_of_the_one_slack_channel(tmp_path: Path) -> None:
    environment = {"OPS_ADDRESS": "https://x.example", "LLM_SPEND_SLACK_WEBHOOK_URL": "https://y.example"}
    routed = channels([route("slack"), route("slack", matcher=Matcher("info"))], environment, Console(), tmp_path)
    assert [one.name for one in routed] == ["console", "jsonl", "ops"]
    assert [one.name for one in channels([], environment, Console(), tmp_path)] == ["console", "jsonl", "slack"]


def test_a_trial_message_reaches_the_service(endpoint: Endpoint) -> None:
    endpoint.default = (202, {})
    moment = datetime(2026, 8, 4, 6)
    environment = {"OPS_ADDRESS": endpoint.url, "OPS_SECRET": "key", PAGERDUTY_URL_VARIABLE: endpoint.url}
    for kind in ("slack", "webhook", "pagerduty"):
        assert channel(route(kind), environment).send_trial(moment).status == "sent"
    slack, webhook, begins, ends = endpoint.accepted
    assert slack["text"] == webhook["heading"] == begins["payload"]["summary"] == "llm-spend: this channel works"
    assert (begins["event_action"], ends["event_action"]) == ("trigger", "resolve")
    assert begins["dedup_key"] == ends["dedup_key"] == "llm-spend-trial-20260804060000"


def test_a_channel_of_many_routes_is_one_channel(world: tuple[Path, Path], endpoint: Endpoint) -> None:
    routes = [route("webhook", matcher=Matcher("critical")), route("webhook", matcher=Matcher(owner="ann"))]
    to = channels(routes, {"OPS_ADDRESS": endpoint.url, "OPS_SECRET": "k"}, Console(file=io.StringIO()), world[0])[-1]
    write_alerts(world[0], incident("a-1", owner="ann"))
    deliver(*world, [to], NOW, Routing(routes))
    assert len(endpoint.accepted) == 1
