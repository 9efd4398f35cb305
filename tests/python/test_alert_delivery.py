"""Delivery of alerts: all that is new arrives, once; names stay text; the webhook address stays secret."""

import io
import json
import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from alerting import (
    CANARY,
    LATER,
    LATER_STILL,
    LONG_OVER,
    NOW,
    RESOLVED,
    Endpoint,
    Recorder,
    headers_of,
    ids_of,
    incident,
    serving,
    write_alerts,
)
from llm_spend.alerts.channels import ConsoleChannel, JsonlChannel, SlackChannel, channels
from llm_spend.alerts.deliver import ChannelReport, default_outbox, deliver
from llm_spend.alerts.news import news
from llm_spend.alerts.outbox import Outcome, open_outbox
from llm_spend.alerts.slack import escape
from llm_spend.errors import UserError


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as served:
        yield served


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "spend.duckdb"


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    return tmp_path / "alerts" / "outbox.sqlite"


def stored(outbox: Path) -> list[tuple]:
    with closing(sqlite3.connect(outbox)) as connection:
        return connection.execute(
            "select alert_id, event, channel, status, attempts, last_error from outbox order by id"
        ).fetchall()


def plain_console(width: int = 80) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, width=width), text


def slack(endpoint: Endpoint, budget_seconds: float = 1) -> SlackChannel:
    return SlackChannel(address=endpoint.url, budget_seconds=budget_seconds, messages_per_minute=None)


def test_running_twice_delivers_nothing_twice(database: Path, outbox: Path, endpoint: Endpoint, tmp_path: Path) -> None:
    write_alerts(database, incident("a-1"), incident("a-2", severity="warning"))
    console, text = plain_console()
    channels = [ConsoleChannel(console=console), JsonlChannel(path=tmp_path / "alerts.jsonl"), slack(endpoint)]

    first = deliver(database, outbox, channels, NOW)
    printed = text.getvalue()
    second = deliver(database, outbox, channels, NOW)

    assert [(channel.name, channel.sent) for channel in first.channels] == [("console", 2), ("jsonl", 2), ("slack", 2)]
    assert first.is_complete
    assert [channel.sent for channel in second.channels] == [0, 0, 0]
    assert text.getvalue() == printed
    assert endpoint.accepted_ids == ["a-1", "a-2"]
    assert len((tmp_path / "alerts.jsonl").read_text().splitlines()) == 2


def test_a_channel_that_comes_later_is_told_what_is_open(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(database, incident("a-1"))
    deliver(database, outbox, [Recorder()], NOW)
    deliver(database, outbox, [Recorder(), slack(endpoint)], NOW)
    assert endpoint.accepted_ids == ["a-1"]


def test_an_endpoint_that_is_down_loses_nothing(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(database, *(incident(f"a-{number}") for number in (1, 2, 3, 4)))
    endpoint.default = (503, {})

    down = deliver(database, outbox, [slack(endpoint)], NOW)

    assert down.channels == (ChannelReport("slack", sent=0, pending=4, dead=0, last_error="HTTP 503"),)
    assert not down.is_complete
    assert {ids_of(body)[0] for body in endpoint.received} == {"a-1", "a-2", "a-3"}, "asked for three rows, no more"

    endpoint.default = (200, {})
    up = deliver(database, outbox, [slack(endpoint)], LATER)
    assert up.channels == (ChannelReport("slack", sent=4, pending=0, dead=0),)
    assert endpoint.accepted_ids == ["a-1", "a-2", "a-3", "a-4"]


def test_no_endpoint_at_all_loses_nothing(database: Path, outbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    write_alerts(database, incident("a-1"))
    report = deliver(
        database, outbox, [SlackChannel(address=f"http://127.0.0.1:9/services/{CANARY}", budget_seconds=0.2)], NOW
    )
    assert report.channels == (ChannelReport("slack", sent=0, pending=1, dead=0, last_error="ConnectionError"),)


def test_a_short_failure_is_retried_within_the_run(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(database, incident("a-1"))
    endpoint.answers = [(500, {}), (200, {})]
    assert deliver(database, outbox, [slack(endpoint)], NOW).is_complete
    assert endpoint.accepted_ids == ["a-1"]


def test_retry_after_is_waited_for(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(database, incident("a-1"))
    endpoint.answers = [(429, {"Retry-After": "1"})]
    assert deliver(database, outbox, [slack(endpoint, budget_seconds=5)], NOW).is_complete
    assert len(endpoint.times) == 2
    assert endpoint.times[1] - endpoint.times[0] >= 1


def test_a_retry_after_beyond_the_budget_waits_for_the_next_run(
    database: Path, outbox: Path, endpoint: Endpoint
) -> None:
    write_alerts(database, incident("a-1"))
    endpoint.answers = [(429, {"Retry-After": "3600"})]
    started = time.monotonic()
    report = deliver(database, outbox, [slack(endpoint)], NOW)
    assert time.monotonic() - started < 5
    assert len(endpoint.received) == 1
    assert report.channels == (ChannelReport("slack", sent=0, pending=1, dead=0, last_error="HTTP 429"),)


def test_a_refused_message_is_dead_and_the_others_go_on(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(database, incident("a-1"), incident("a-2"))
    endpoint.answers = [(400, {})]

    first = deliver(database, outbox, [slack(endpoint)], NOW)
    second = deliver(database, outbox, [slack(endpoint)], NOW)

    assert first.channels == (ChannelReport("slack", sent=1, pending=0, dead=1, last_error="HTTP 400"),)
    assert second.channels == (ChannelReport("slack", sent=0, pending=0, dead=1, last_error="HTTP 400"),)
    assert not second.is_complete
    assert second.dead == 1
    assert [ids_of(body) for body in endpoint.received] == [["a-1"], ["a-2"]], "a dead row is not tried again"


def test_a_redirect_is_not_followed(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(database, incident("a-1"))
    endpoint.answers = [(302, {"Location": endpoint.url})]
    report = deliver(database, outbox, [slack(endpoint)], NOW)
    assert report.channels[0].last_error == "HTTP 302"
    assert len(endpoint.received) == 1


def test_a_channel_that_breaks_keeps_its_rows_and_stops_no_other(database: Path, outbox: Path, tmp_path: Path) -> None:
    write_alerts(database, incident("a-1"))
    broken = Recorder(outcome=RuntimeError(f"cannot reach https://hooks.slack.com/services/{CANARY}"))
    jsonl = JsonlChannel(path=tmp_path / "alerts.jsonl")

    report = deliver(database, outbox, [broken, jsonl], NOW)

    assert report.channels == (
        ChannelReport("recorder", sent=0, pending=1, dead=0, last_error="RuntimeError"),
        ChannelReport("jsonl", sent=1, pending=0, dead=0),
    )
    healed = Recorder()
    deliver(database, outbox, [healed, jsonl], LATER)
    assert healed.told == [("a-1", "opened")]


def test_a_kill_between_commit_and_send_loses_nothing(database: Path, outbox: Path) -> None:
    write_alerts(database, incident("a-1"), incident("a-2"))
    program = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from llm_spend.alerts.channels import Channel
from llm_spend.alerts.deliver import deliver

class Killed(Channel):
    def send(self, row, now):
        os.kill(os.getpid(), signal.SIGKILL)

deliver(Path(sys.argv[1]), Path(sys.argv[2]), [Killed(name="recorder")], datetime(2026, 8, 4, 6))
"""
    killed = subprocess.run([sys.executable, "-c", program, database, outbox], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert stored(outbox) == [
        ("a-1", "opened", "recorder", "pending", 1, None),
        ("a-2", "opened", "recorder", "pending", 0, None),
    ]

    channel = Recorder()
    report = deliver(database, outbox, [channel], NOW)
    assert report.is_complete
    assert channel.told == [("a-1", "opened"), ("a-2", "opened")]


def test_resolved_is_told_once_after_the_opening(database: Path, outbox: Path) -> None:
    channel = Recorder()
    for incidents in ([incident("a-1")], [incident("a-1", **RESOLVED)], [incident("a-1", **RESOLVED)]):
        write_alerts(database, *incidents)
        deliver(database, outbox, [channel], NOW)
    assert channel.told == [("a-1", "opened"), ("a-1", "resolved")]


@pytest.mark.parametrize("last", [{}, RESOLVED], ids=["open", "resolved"])
def test_withdrawn_is_told_once(database: Path, outbox: Path, last: dict[str, object]) -> None:
    channel = Recorder()
    write_alerts(database, incident("a-1"))
    deliver(database, outbox, [channel], NOW)
    write_alerts(database, incident("a-1", **last))
    deliver(database, outbox, [channel], NOW)
    write_alerts(database)
    for _ in range(2):
        deliver(database, outbox, [channel], NOW)
    assert channel.told[-1] == ("a-1", "withdrawn")
    assert [event for _, event in channel.told].count("withdrawn") == 1


def test_an_incident_that_comes_back_is_told_again(database: Path, outbox: Path) -> None:
    """A run with an earlier `as_of` hides later incidents: that must not silence them for ever."""
    channel = Recorder()
    for incidents in ([incident("a-1")], [], [incident("a-1")], [incident("a-1")]):
        write_alerts(database, *incidents)
        deliver(database, outbox, [channel], NOW)
    assert channel.told == [("a-1", "opened"), ("a-1", "withdrawn"), ("a-1", "opened")]


def test_another_warehouse_withdraws_nothing(database: Path, outbox: Path, tmp_path: Path) -> None:
    channel = Recorder()
    other = tmp_path / "other.duckdb"
    write_alerts(database, incident("a-1"))
    write_alerts(other, incident("a-2"))
    for warehouse in (database, other, database):
        deliver(warehouse, outbox, [channel], NOW)
    assert channel.told == [("a-1", "opened"), ("a-2", "opened")]


@pytest.mark.parametrize(
    ("down", "later", "told"),
    [
        (Outcome("pending", "HTTP 503"), [RESOLVED], [("a-1", "resolved")]),
        (Outcome("pending", "HTTP 503"), [], [("a-1", "withdrawn")]),
        (Outcome("dead", "HTTP 400"), [RESOLVED], [("a-1", "past")]),
        (Outcome("dead", "HTTP 400"), [], []),
    ],
    ids=["tried-resolved", "tried-gone", "refused-resolved", "refused-gone"],
)
def test_what_waits_gives_way_to_later_news(
    database: Path, outbox: Path, down: Outcome, later: list[dict[str, object]], told: list[tuple[str, str]]
) -> None:
    """A tried row may have arrived, so it is answered; a refused one did not."""
    write_alerts(database, incident("a-1"))
    deliver(database, outbox, [Recorder(outcome=down)], NOW)
    write_alerts(database, *(incident("a-1", **changes) for changes in later))
    deliver(database, outbox, [Recorder(outcome=Outcome("pending", "HTTP 503"))], LATER)
    channel = Recorder()
    for _ in range(2):
        deliver(database, outbox, [channel], LATER_STILL)
    assert channel.told == told


def test_a_row_never_tried_vanishes_with_its_incident(database: Path, outbox: Path) -> None:
    write_alerts(database, *(incident(f"a-{number}") for number in (1, 2, 3, 4)))
    deliver(database, outbox, [Recorder(outcome=Outcome("pending", "HTTP 503"))], NOW)
    write_alerts(database, incident("a-1"))
    channel = Recorder()
    deliver(database, outbox, [channel], LATER)
    assert channel.told == [("a-1", "opened"), ("a-2", "withdrawn"), ("a-3", "withdrawn")], "nothing of a-4"


def test_a_tried_row_is_answered_even_when_its_first_answer_never_left(outbox: Path) -> None:
    with open_outbox(outbox) as box:
        box.queue([{"alert_id": "a-1", "status": "open"}], "w", "slack", NOW)
        box.claim(box.pending("slack"))
        box.queue([{"alert_id": "a-1", "status": "resolved"}], "w", "slack", NOW)
        assert [row.event for row in box.pending("slack")] == ["resolved"]
        box.queue([], "w", "slack", NOW)
        assert [row.event for row in box.pending("slack")] == ["withdrawn"]


def test_what_waits_is_told_as_it_is_now(database: Path, outbox: Path, tmp_path: Path) -> None:
    write_alerts(database, incident("a-1"))
    path = tmp_path / "alerts.jsonl"
    path.mkdir()
    assert deliver(database, outbox, [JsonlChannel(path=path)], NOW).channels[0].last_error == "IsADirectoryError"
    path.rmdir()
    write_alerts(database, incident("a-1", impact_usd="2000"))
    deliver(database, outbox, [JsonlChannel(path=path)], LATER)
    assert json.loads(path.read_text())["impact_usd"] == "2000.000000000000"


def test_news_says_what_the_last_message_does_not() -> None:
    assert [news(None, state) for state in ("open", "resolved", "absent")] == ["opened", "past", None]
    assert [news("opened", state) for state in ("open", "resolved", "absent")] == [None, "resolved", "withdrawn"]
    assert [news("resolved", state) for state in ("open", "resolved", "absent")] == ["opened", None, "withdrawn"]
    assert [news("past", state) for state in ("open", "resolved", "absent")] == ["opened", None, "withdrawn"]
    assert [news("withdrawn", state) for state in ("open", "resolved", "absent")] == ["opened", "past", None]


def test_a_first_run_on_weeks_of_history_is_one_message_for_what_is_over(
    database: Path, outbox: Path, endpoint: Endpoint, tmp_path: Path
) -> None:
    old = [incident(f"a-old-{number}", **LONG_OVER) for number in range(10)]
    write_alerts(database, incident("a-open"), incident("a-yesterday", **RESOLVED), *old)
    console, text = plain_console()
    jsonl = tmp_path / "alerts.jsonl"

    report = deliver(
        database, outbox, [ConsoleChannel(console=console), JsonlChannel(path=jsonl), slack(endpoint)], NOW
    )

    assert [channel.sent for channel in report.channels] == [12, 12, 12]
    assert headers_of(endpoint.accepted) == [
        "CRITICAL hourly_spend_spike · total · open",
        "CRITICAL hourly_spend_spike · total · already resolved",
        "10 past incidents, resolved before this channel was told",
    ]
    assert endpoint.accepted[2]["blocks"][1]["text"]["text"] == (
        "2026-06-10 09:00 to 2026-06-10 11:00 UTC · warning hourly_spend_spike · total · $1,050.00 · resolved · a-old-0"
    )
    assert text.getvalue().count("2026-06-10 to 06-10  warning") == 10
    events = [json.loads(line)["event"] for line in jsonl.read_text().splitlines()]
    assert events == ["opened", *["past"] * 11]


def test_a_cap_keeps_the_rest_for_the_next_run(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(
        database,
        *(incident(f"a-warn-{number:02}", severity="warning") for number in range(25)),
        incident("a-crit", opened_at=datetime(2026, 8, 4, 1)),
    )
    first = deliver(database, outbox, [slack(endpoint)], NOW)
    assert first.channels == (ChannelReport("slack", sent=20, pending=6, dead=0),)
    assert not first.is_complete
    assert endpoint.accepted_ids[0] == "a-crit"
    assert len(endpoint.accepted) == 21
    assert headers_of(endpoint.accepted)[-1] == "+6 more alerts, kept for the next delivery"

    second = deliver(database, outbox, [slack(endpoint)], NOW)
    assert second.channels == (ChannelReport("slack", sent=6, pending=0, dead=0),)
    assert sorted(endpoint.accepted_ids) == ["a-crit", *(f"a-warn-{number:02}" for number in range(25))]


def test_the_console_message_fits_80_columns(database: Path, outbox: Path) -> None:
    write_alerts(database, incident("a-1"))
    console, text = plain_console()
    deliver(database, outbox, [ConsoleChannel(console=console)], NOW)
    lines = [line.rstrip() for line in text.getvalue().splitlines()]
    assert lines == [
        "",
        "CRITICAL hourly_spend_spike · total · open",
        "Observed      hourly cost $1,250.00, baseline $200.00 (+525.0%), threshold",
        "              $1,000.00",
        "When          hourly, 2026-08-03 14:00 to 2026-08-03 15:00; opened 2026-08-03",
        "              15:00 (UTC)",
        "Impact        $1,050.00",
        "Likely cause  A runaway loop or a burst of traffic",
        "Action        Stop the run or limit its rate",
        "Owner         nobody yet",
        "Evidence      tenant acme; endpoint support_chat; model gpt-5; agent triage;",
        "              requests r1, r2, r3",
        "Alert         a-1",
    ]


def test_a_jsonl_object_holds_every_column(database: Path, outbox: Path, tmp_path: Path) -> None:
    row = incident("a-1", observed_value=float("inf"))
    write_alerts(database, row)
    path = tmp_path / "new" / "alerts.jsonl"
    deliver(database, outbox, [JsonlChannel(path=path)], datetime(2026, 8, 4, 6, 0, tzinfo=UTC))
    written = json.loads(path.read_text())
    assert set(written) == {*row, "below", "event", "delivered_at"}
    assert written["below"] == []
    assert written["event"] == "opened"
    assert written["delivered_at"] == "2026-08-04T06:00:00Z"
    assert written["opened_at"] == "2026-08-03T15:00:00Z"
    assert written["impact_usd"] == "1050.000000000001"
    assert written["observed_value"] is None
    assert written["evidence"]["sample_request_ids"] == ["r1", "r2", "r3"]


def test_half_a_line_left_by_a_crash_spoils_no_other(database: Path, outbox: Path, tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text('{"alert_id": "a-0", "ev')
    write_alerts(database, incident("a-1"))
    deliver(database, outbox, [JsonlChannel(path=path)], NOW)
    assert [json.loads(line)["alert_id"] for line in path.read_text().splitlines()[1:]] == ["a-1"]


HOSTILE = "<!here> *b* & <https://evil.example|x>\n\x1b[2J\u202e[red]r[/red]"


def test_names_stay_text(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    evidence = json.dumps({"top_tenant": HOSTILE, "sample_request_ids": [HOSTILE]})
    write_alerts(database, incident("a-1", entity_type="tenant", entity_id=HOSTILE, evidence=evidence, owner=HOSTILE))
    console, text = plain_console(200)
    deliver(database, outbox, [ConsoleChannel(console=console), slack(endpoint)], NOW)

    (message,) = endpoint.accepted
    entity = "tenant &lt;!here&gt; *b* &amp; &lt;https://evil.example|x&gt; [2J [red]r[/red]"
    assert message["blocks"][0]["text"]["text"] == f"CRITICAL hourly_spend_spike · {entity} · open"
    assert message["text"] == message["blocks"][0]["text"]["text"]
    flat = json.dumps(message, ensure_ascii=False)
    assert "<" not in flat
    assert ">" not in flat
    assert message["mrkdwn"] is False
    assert {block["text"]["type"] for block in message["blocks"]} == {"plain_text"}
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", flat)
    body = message["blocks"][1]["text"]["text"].splitlines()
    assert [line.partition(":")[0] for line in body] == [
        "Observed", "When", "Impact", "Likely cause", "Action", "Owner", "Evidence",
    ]  # fmt: skip
    assert "\x1b" not in text.getvalue()
    assert "\u202e" not in text.getvalue()
    assert "[red]r[/red]" in text.getvalue()


@pytest.mark.parametrize("name", ["&" * 5000, "\N{PILE OF POO}" * 5000, "<!here>" * 900])
def test_no_name_makes_a_message_that_slack_refuses(
    database: Path, outbox: Path, endpoint: Endpoint, name: str
) -> None:
    evidence = json.dumps({"top_tenant": name, "sample_request_ids": [name] * 3})
    hostile = {"entity_id": name, "evidence": evidence, "likely_cause": name, "recommended_action": name}
    old = [incident(f"a-{number}", **hostile, **LONG_OVER) for number in range(10, 25)]
    write_alerts(database, incident("a-1", **hostile), *old)
    deliver(database, outbox, [slack(endpoint)], NOW)
    assert endpoint.accepted_ids == ["a-1", *(f"a-{number}" for number in range(10, 25))]
    for message in endpoint.accepted:
        assert len(message["blocks"]) <= 50
        assert units(message["blocks"][0]["text"]["text"]) <= 150
        assert all(units(block["text"]["text"]) <= 3000 for block in message["blocks"])
        assert sum(units(block["text"]["text"]) for block in message["blocks"]) <= 9000
        assert not re.search(r"&(?!amp;|lt;|gt;)", json.dumps(message))


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def test_escaping_never_cuts_an_entity() -> None:
    assert escape("a&b", 20) == "a&amp;b"
    assert escape("&&&", 15) == "&amp;&amp;&amp;"
    assert escape("&&&", 14) == "&amp;&amp;…"
    assert escape("&&&", 10) == "&amp;…"
    assert escape("x" * 10, 5) == "xxxx…"


@pytest.mark.parametrize("answer", [(200, {}), (503, {}), (400, {}), None], ids=["ok", "503", "400", "refused"])
def test_the_webhook_address_appears_nowhere(
    database: Path,
    outbox: Path,
    endpoint: Endpoint,
    tmp_path: Path,
    answer: tuple[int, dict[str, str]] | None,
) -> None:
    """The real process, with every logger at DEBUG on stderr."""
    write_alerts(database, incident("a-1"))
    endpoint.default = answer or endpoint.default
    url = endpoint.url if answer else f"http://127.0.0.1:9/services/{CANARY}"
    program = """
import logging, os, sys
from datetime import datetime
from pathlib import Path
from rich.console import Console
from llm_spend.alerts import channels
from llm_spend.alerts.deliver import deliver

logging.basicConfig(level=logging.DEBUG)
chosen = channels.channels([], os.environ, Console(), Path(sys.argv[3]))
print(chosen)
quick = [*chosen[:2], channels.SlackChannel(address=chosen[2].address, budget_seconds=0.2)]
print(deliver(Path(sys.argv[1]), Path(sys.argv[2]), quick, datetime(2026, 8, 4, 6)))
"""
    result = subprocess.run(
        [sys.executable, "-c", program, database, outbox, tmp_path / "alerts.jsonl"],
        capture_output=True,
        check=True,
        env={**os.environ, "LLM_SPEND_SLACK_WEBHOOK_URL": url},
    )
    assert b"a-1" in result.stdout
    everything = result.stdout + result.stderr
    everything += b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for secret in (CANARY, *CANARY.split("/")):
        assert secret.encode() not in everything


def test_a_wrong_webhook_address_is_not_repeated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LLM_SPEND_SLACK_WEBHOOK_URL", CANARY)
    with pytest.raises(UserError, match="LLM_SPEND_SLACK_WEBHOOK_URL is no https address") as caught:
        channels([], os.environ, Console(), tmp_path / "alerts.jsonl")
    assert CANARY not in str(caught.value)


def test_urllib3_logs_again_after_a_post(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(database, incident("a-1"))
    deliver(database, outbox, [slack(endpoint)], NOW)
    assert logging.getLogger("urllib3.connectionpool").filters == []


def test_without_a_webhook_address_there_is_no_slack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LLM_SPEND_SLACK_WEBHOOK_URL", raising=False)
    names = [channel.name for channel in channels([], os.environ, Console(), tmp_path / "alerts.jsonl")]
    assert names == ["console", "jsonl"]


def test_the_warehouse_is_free_while_slack_is_slow(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(database, incident("a-1"))
    endpoint.holds = threading.Event()
    thread = threading.Thread(target=deliver, args=(database, outbox, [slack(endpoint, 60)], NOW))
    thread.start()
    assert endpoint.asked.wait(60)
    write = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create table while_sending (a int)')"
    writer = subprocess.run([sys.executable, "-c", write, database], capture_output=True, check=False)
    still_sending = not endpoint.accepted
    endpoint.holds.set()
    thread.join()
    assert writer.returncode == 0, writer.stderr
    assert still_sending


def test_two_deliverers_at_once_deliver_once(database: Path, outbox: Path, endpoint: Endpoint) -> None:
    write_alerts(database, incident("a-1"), incident("a-2"))
    endpoint.delay_seconds = 0.3
    threads = [threading.Thread(target=deliver, args=(database, outbox, [slack(endpoint, 10)], NOW)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert endpoint.accepted_ids == ["a-1", "a-2"]


def test_an_outbox_in_use_is_said(outbox: Path) -> None:
    with (
        open_outbox(outbox),
        pytest.raises(UserError, match="another delivery holds"),
        open_outbox(outbox, wait_seconds=0.1),
    ):
        pass


def test_an_outbox_that_is_no_sqlite_file_is_said(database: Path, tmp_path: Path) -> None:
    write_alerts(database, incident("a-1"))
    broken = tmp_path / "notes.txt"
    broken.write_text("not a database, and long enough to be read as one " * 20)
    with pytest.raises(UserError, match=r"notes\.txt cannot be used as the outbox"):
        deliver(database, broken, [Recorder()], NOW)


def test_a_warehouse_without_alerts_is_said(database: Path, outbox: Path) -> None:
    with duckdb.connect(str(database)):
        pass
    with pytest.raises(UserError, match=r"holds no marts\.alerts yet: run llm-spend build first"):
        deliver(database, outbox, [Recorder()], NOW)


def test_the_outbox_is_kept_with_dagster(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    assert default_outbox() == tmp_path / "llm_spend_outbox.sqlite"
    monkeypatch.delenv("DAGSTER_HOME")
    assert default_outbox().parts[-3:] == ("target", "alerts", "outbox.sqlite")
