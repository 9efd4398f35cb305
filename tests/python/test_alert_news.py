"""Who is told what, and when not: routes, silences, acknowledgements, reminders, digests, and a channel's bad days."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from alerting import LATER, LONG_OVER, NOW, RESOLVED, Recorder, incident, write_alerts
from llm_spend.alerts import deliver as delivering
from llm_spend.alerts.channels import Channel, PagerDutyChannel, SlackChannel
from llm_spend.alerts.deliver import ChannelReport, deliver
from llm_spend.alerts.incidents import read_incidents
from llm_spend.alerts.messages import details
from llm_spend.alerts.notices import notice
from llm_spend.alerts.outbox import FIRST_PAUSE, LONGEST_PAUSE, Acknowledgement, Outcome, Row, open_outbox
from llm_spend.alerts.routing import Matcher, Route, Routing, Silence
from llm_spend.alerts.store import Place, open_store

HOUR = timedelta(hours=1)
DOWN = Outcome("pending", "HTTP 503")
WARNING, CRITICAL, INFO = ({"severity": severity} for severity in ("warning", "critical", "info"))


def route(channel: str = "recorder", repeat_hours: int | None = None, **matcher: str) -> Route:
    return Route(channel, "webhook", "ADDRESS", "SECRET", Matcher(**matcher), repeat_hours, None, None)


def maintenance(**matcher: str) -> Routing:
    return Routing((), [Silence("s-1", Matcher(**matcher), "ann", "a backfill", NOW - HOUR, NOW + 2 * HOUR)])


class World:
    """A mart, an outbox and a clock that goes on."""

    def __init__(self, folder: Path, outbox: Place | None = None) -> None:
        self.database, self.outbox, self.now = folder / "spend.duckdb", outbox or folder / "outbox.sqlite", NOW
        self.routing = Routing()

    def deliver(
        self, *incidents: dict[str, object], to: Sequence[Channel] | None = None, after: timedelta = HOUR
    ) -> tuple[list[tuple[str, str]], tuple[ChannelReport, ...]]:
        """What a recorder is told of these incidents, and the reports of all channels."""
        write_alerts(self.database, *incidents)
        recorder = Recorder()
        report = deliver(self.database, self.outbox, to or [recorder], self.now, self.routing)
        self.now += after
        return recorder.told, report.channels

    def tells(self, *incidents: dict[str, object], **options: object) -> list[tuple[str, str]]:
        return self.deliver(*incidents, **options)[0]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_rise_in_severity_is_told_and_a_fall_is_not(world: World) -> None:
    assert world.tells(incident("a-1", **WARNING)) == [("a-1", "opened")]
    assert world.tells(incident("a-1", **CRITICAL)) == [("a-1", "escalated")]
    assert world.tells(incident("a-1", **CRITICAL)) == []
    assert world.tells(incident("a-1", **WARNING)) == []
    assert world.tells(incident("a-1", **RESOLVED)) == [("a-1", "resolved")]


def test_an_open_incident_is_told_again_after_the_interval_of_its_route(world: World) -> None:
    world.routing = Routing([route(repeat_hours=6), route(repeat_hours=24)])
    told = [world.tells(incident("a-1")) for _ in range(14)]
    assert [hour for hour, events in enumerate(told) if events] == [0, 6, 12]
    assert told[6] == [("a-1", "reminder")]
    assert world.tells(incident("a-1", **RESOLVED)) == [("a-1", "resolved")]


def test_without_an_interval_nothing_is_told_again(world: World) -> None:
    world.routing = Routing([route()])
    world.tells(incident("a-1"))
    world.now += timedelta(days=30)
    assert world.tells(incident("a-1")) == []


def test_who_takes_an_incident_ends_its_reminders_but_not_its_rise(world: World) -> None:
    world.routing = Routing([route(repeat_hours=1)])
    world.tells(incident("a-1", **WARNING))
    with open_outbox(world.outbox, wait_seconds=None) as box:
        box.acknowledge("a-1", Acknowledgement("ann", None, world.now))
    assert world.tells(incident("a-1", **WARNING)) == [("a-1", "acknowledged")]
    assert world.tells(incident("a-1", **WARNING)) == []
    assert world.tells(incident("a-1", **CRITICAL)) == [("a-1", "escalated")]
    assert world.tells(incident("a-1", **CRITICAL)) == [], "the acknowledgement still holds"
    assert world.tells(incident("a-1", **RESOLVED)) == [("a-1", "resolved")]
    assert world.tells(incident("a-1")) == [("a-1", "opened")]
    assert world.tells(incident("a-1")) == [("a-1", "reminder")], "the end of an incident ends its acknowledgement"


def test_a_channel_hears_what_one_of_its_routes_matches(world: World) -> None:
    world.routing = Routing(
        [route("pager", severity="critical"), route("pager", rule_id="budget_exceeded"), route("ann", owner="ann")]
    )
    pager, ann, console = Recorder(name="pager"), Recorder(name="ann"), Recorder(name="console")
    world.deliver(
        incident("a-critical"),
        incident("a-budget", **WARNING, rule_id="budget_exceeded"),
        incident("a-ann", **WARNING, owner="ann"),
        incident("a-nobody", **WARNING),
        to=[pager, ann, console],
    )
    assert [alert for alert, _ in pager.told] == ["a-critical", "a-budget"]
    assert [alert for alert, _ in ann.told] == ["a-ann"]
    assert len(console.told) == 4, "who has no routes hears all"


def test_a_route_to_what_stands_below_a_page_leads_to_the_page(world: World) -> None:
    world.routing = Routing([route("finance", rule_id="budget_exceeded")])
    spike = incident("a-spike")
    budget = incident(
        "a-budget", rule_id="budget_exceeded", entity_type="tenant", entity_id="zeta", parent_alert_id="a-spike"
    )
    jump = incident("a-jump", **WARNING, rule_id="daily_spend_jump", parent_alert_id="a-spike")
    finance = Recorder(name="finance")
    world.deliver(spike, jump, to=[finance])
    assert finance.told == []
    world.deliver(spike, jump, budget, to=[finance])
    world.deliver(spike | RESOLVED, jump | RESOLVED, budget | RESOLVED, to=[finance])
    assert finance.told == [("a-spike", "opened"), ("a-spike", "resolved")]
    (page,) = (one for one in read_incidents(world.database) if one["alert_id"] == "a-spike")
    assert dict(details("opened", page))["Same cause"] == (
        "critical budget_exceeded tenant zeta, warning daily_spend_jump total"
    )


@pytest.mark.parametrize(
    ("matcher", "is_meant"),
    [
        ({"entity_type": "tenant", "entity_id": "acme"}, True),
        ({"entity_type": "tenant"}, True),
        ({"entity_type": "agent", "entity_id": "acme"}, False),
        ({"entity_id": "ACME"}, False),
        ({"severity": "critical", "entity_id": "acme"}, True),
        ({"severity": "warning", "entity_id": "acme"}, False),
        ({"owner": ""}, False),
        ({}, True),
    ],
)
def test_all_parts_of_a_matcher_must_match(matcher: dict[str, str], is_meant: bool) -> None:
    assert Matcher(**matcher).matches(incident("a-1", entity_type="tenant", entity_id="acme")) == is_meant


def test_a_route_that_is_gone_still_tells_the_end_and_nothing_else(world: World) -> None:
    world.routing = Routing([route(severity="warning", repeat_hours=1)])
    world.tells(incident("a-1", **WARNING), incident("a-2", **WARNING))
    world.routing = Routing([route(severity="info")])
    assert world.tells(incident("a-1", **WARNING), incident("a-2", **CRITICAL), incident("a-3")) == []
    assert world.tells(incident("a-1", **WARNING, **RESOLVED)) == [("a-1", "resolved"), ("a-2", "withdrawn")]


def test_evidence_of_another_incident_is_not_told(world: World) -> None:
    parent, child = incident("a-parent"), incident("a-child")
    for row, parent_id in ((parent, None), (child, "a-parent")):
        row["parent_alert_id"] = parent_id
    assert world.tells(parent, child) == [("a-parent", "opened")]


def test_what_is_silenced_is_on_record_and_told_when_the_silence_ends(world: World) -> None:
    world.routing = maintenance(rule_id="hourly_spend_spike")
    told, (report,) = world.deliver(incident("a-1"), incident("a-2"), incident("a-3", rule_id="budget_exceeded"))
    assert told == [("a-3", "opened")]
    assert report == ChannelReport("recorder", sent=1, pending=0, dead=0, silenced=2)
    with open_store(world.outbox) as store:
        record = store.rows("select alert_id, status, silenced_by from outbox order by alert_id")
    assert record == [
        ("a-1", "silenced", "s-1 of ann: a backfill"),
        ("a-2", "silenced", "s-1 of ann: a backfill"),
        ("a-3", "sent", None),
    ]
    later = [incident("a-1"), incident("a-2", **RESOLVED), incident("a-3", rule_id="budget_exceeded")]
    assert world.tells(*later) == []
    assert world.tells(*later) == [("a-1", "opened")], "what began and ended in the silence is no news"
    assert world.tells(*later) == []


def test_a_silence_keeps_no_end_from_who_knows_the_beginning(world: World) -> None:
    world.tells(incident("a-1"), incident("a-2", **WARNING), after=timedelta(0))
    world.routing = maintenance()
    later = [incident("a-1", **RESOLVED), incident("a-2", **CRITICAL)]
    assert world.tells(*later) == [("a-1", "resolved")]
    world.now += HOUR
    assert world.tells(*later) == [("a-2", "escalated")]


def test_what_waits_for_a_channel_is_silenced_too_unless_it_was_tried(world: World) -> None:
    incidents = [incident("a-1"), incident("a-2")]
    world.deliver(*incidents, to=[Recorder(outcome=Outcome("pending", "HTTP 429", retry_after=60))])
    world.routing = maintenance()
    assert world.tells(*incidents) == [("a-1", "opened")], "it may have arrived"


def test_a_record_holds_what_is_silenced(world: World) -> None:
    class Record(Recorder):
        is_record = True

    record = Record()
    world.routing = maintenance()
    world.deliver(incident("a-1"), to=[record])
    assert record.told == [("a-1", "opened")]


def test_a_silence_of_a_person_can_be_ended(world: World) -> None:
    with open_outbox(world.outbox, wait_seconds=None) as box:
        made = box.silence(Matcher(severity="critical"), "ann", "a test", NOW, NOW + 9 * HOUR)
    assert world.tells(incident("a-1")) == []
    with open_outbox(world.outbox, wait_seconds=None) as box:
        assert [str(silence.matcher) for silence in box.silences(world.now)] == ["severity critical"]
        assert box.end_silence(made.silence_id, world.now)
        assert not box.end_silence(made.silence_id, world.now)
        assert not box.silences(world.now)
    assert world.tells(incident("a-1")) == [("a-1", "opened")]


class Daily(Recorder):
    has_digest = True


def test_what_is_for_information_comes_once_a_day_in_one_message(world: World) -> None:
    first = Daily()
    world.deliver(incident("a-1", **INFO), incident("a-2", **INFO), incident("a-3"), to=[first])
    assert first.messages == [["a-3"], ["a-1", "a-2"]]

    same_day = Daily()
    _, (report,) = world.deliver(*(incident(f"a-{number}", **INFO) for number in (1, 2, 4)), to=[same_day])
    assert same_day.messages == [["a-3"]], "withdrawn, for it disturbed somebody"
    assert (report.pending, report.held) == (0, 1)

    world.now += timedelta(days=1)
    next_day = Daily()
    world.deliver(*(incident(f"a-{number}", **INFO) for number in (1, 2, 4)), to=[next_day])
    assert next_day.messages == [["a-4"]]


def test_a_long_digest_is_several_lists_and_is_over_after_the_last(world: World) -> None:
    many = [incident(f"a-{number:02}", **INFO) for number in range(40)]
    for expected in ([15, 15], [10], []):
        daily = Daily(messages_per_run=2)
        world.deliver(*many, to=[daily])
        assert [len(message) for message in daily.messages] == expected


class Pager(PagerDutyChannel):
    def send(self, row: Row, now: datetime) -> Outcome:
        _PAGED.append((row.alert_id, row.event))
        return Outcome("sent")


_PAGED: list[tuple[str, str]] = []


def paged(world: World, *incidents: dict[str, object]) -> list[tuple[str, str]]:
    _PAGED.clear()
    world.deliver(*incidents, to=[Pager(name="pager", address="key")])
    return list(_PAGED)


def test_a_pager_hears_of_nothing_that_is_over_or_for_information(world: World) -> None:
    past = incident("a-past", **LONG_OVER)
    assert paged(world, past, incident("a-info", **INFO), incident("a-1")) == [("a-1", "opened")]
    assert paged(world, past, incident("a-info", **WARNING), incident("a-1")) == [("a-info", "opened")]


def test_the_end_of_an_incident_goes_before_the_next_of_the_same_key(world: World) -> None:
    """Both have one `dedup_key`: the other way round the end would close the incident that is open."""
    first, second = incident("a-1", fingerprint="f", **WARNING), incident("a-2", fingerprint="f", **CRITICAL)
    earlier = {"opened_at": datetime(2026, 8, 3, 9, 0)}
    assert paged(world, first) == [("a-1", "opened")]
    assert paged(world, {**second, **earlier}) == [("a-1", "withdrawn"), ("a-2", "opened")]


def test_late_data_closes_no_incident_that_began_since(world: World) -> None:
    first, second = incident("a-1", fingerprint="f"), incident("a-2", fingerprint="f")
    paged(world, first)
    assert paged(world, {**first, **RESOLVED}) == [("a-1", "resolved")]
    assert paged(world, {**first, **RESOLVED}, second) == [("a-2", "opened")]
    assert paged(world, second) == [], "the first is gone, and was over already"


def test_what_follows_in_a_story_never_overtakes_it(world: World) -> None:
    class Choosy(Recorder):
        def send(self, row: Row, now: datetime) -> Outcome:
            return DOWN if row.event == "withdrawn" else super().send(row, now)

    first, second = incident("a-1", fingerprint="f"), incident("a-2", fingerprint="f")
    world.tells(first)
    choosy = Choosy()
    world.deliver(second, incident("a-3"), to=[choosy])
    assert choosy.told == [("a-3", "opened")]
    assert world.tells(second, incident("a-3")) == [("a-1", "withdrawn"), ("a-2", "opened")]


def test_one_message_that_never_works_holds_up_no_other(world: World) -> None:
    class Choosy(Recorder):
        def send(self, row: Row, now: datetime) -> Outcome:
            return DOWN if row.alert_id == "a-1" else super().send(row, now)

    choosy = Choosy()
    _, (report,) = world.deliver(*(incident(f"a-{number}") for number in (1, 2, 3)), to=[choosy])
    assert [alert for alert, _ in choosy.told] == ["a-2", "a-3"]
    assert (report.sent, report.pending, report.last_error) == (2, 1, "HTTP 503")


def test_a_channel_that_is_down_is_left_alone_longer_and_longer(world: World) -> None:
    tries = []

    class Counting(Recorder):
        def send(self, row: Row, now: datetime) -> Outcome:
            tries.append(now - NOW)
            return DOWN

    for _ in range(180):
        deliver_quickly(world, Counting())
    pauses = [later - earlier for earlier, later in pairwise(tries)]
    minute = timedelta(minutes=1)
    # Half a minute, then one, two, four …, seen by a run every minute.
    assert pauses[:6] == [minute, minute, 2 * minute, 4 * minute, 8 * minute, 16 * minute]
    assert set(pauses[6:]) == {LONGEST_PAUSE}
    assert minute > FIRST_PAUSE


def deliver_quickly(world: World, channel: Channel) -> None:
    """A run that reads no warehouse."""
    with open_outbox(world.outbox) as box:
        simple = {"alert_id": "a-1", "severity": "warning", "status": "open", "opened_at": "2026-08-03T15:00:00Z"}
        box.queue([simple], "w", channel.name, world.now)
        delivering._send_waiting(box, channel, world.now)
    world.now += timedelta(minutes=1)


def test_a_retry_after_is_kept_for_the_next_runs(world: World) -> None:
    asked = Recorder(outcome=Outcome("pending", "HTTP 429", retry_after=7200))
    world.deliver(incident("a-1"), to=[asked])
    _, (report,) = world.deliver(incident("a-1"))
    assert report == ChannelReport("recorder", sent=0, pending=1, dead=0, last_error="HTTP 429")
    assert world.tells(incident("a-1")) == [("a-1", "opened")]


def test_a_retry_after_of_years_silences_no_channel(world: World) -> None:
    world.deliver(incident("a-1"), to=[Recorder(outcome=Outcome("pending", "HTTP 429", retry_after=1e30))])
    world.now = NOW + 6 * HOUR
    assert world.tells(incident("a-1")) == [("a-1", "opened")]


def test_dead_letters_live_again_when_somebody_says_so(world: World) -> None:
    refusing = Recorder(outcome=Outcome("dead", "HTTP 404"))
    world.deliver(incident("a-1"), incident("a-2"), to=[refusing])
    world.deliver(incident("a-1"), incident("a-2", **RESOLVED), to=[refusing])
    assert world.tells(incident("a-1"), incident("a-2", **RESOLVED)) == []
    with open_outbox(world.outbox) as box:
        assert box.revive() == 2
    assert sorted(world.tells(incident("a-1"), incident("a-2", **RESOLVED))) == [("a-1", "opened"), ("a-2", "past")]


def test_messages_keep_their_distance(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(delivering.time, "sleep", slept.append)
    slow = Recorder(messages_per_minute=30, messages_per_run=3)
    world.deliver(*(incident(f"a-{number}") for number in range(5)), to=[slow])
    assert slept == [2, 2, 2], "between three messages and one that says what waits"
    assert slow.texts == ["+2 more alerts, kept for the next delivery"]
    assert SlackChannel(address="").messages_per_minute == 60


def test_a_notice_is_told_once_to_whom_a_route_names_for_it(world: World) -> None:
    told = notice("failed_runs", "run-1", "warning", "Run run-1 failed", ["landing: no such file"], NOW)
    listening = [Listening(name="everyone"), Listening(name="reviewer"), Recorder(name="console")]
    world.routing = Routing([route("everyone"), route("reviewer", rule_id="weekly_review")])
    for _ in range(2):
        with open_outbox(world.outbox, wait_seconds=None) as box:
            box.notify(told, NOW)
        world.deliver(to=listening)
    assert listening[0].texts == ["Run run-1 failed"]
    assert listening[1].texts == []
    assert listening[2].texts == []


class Listening(Recorder):
    def takes(self, event: str, heard: str | None, severity: str) -> bool:
        return True


def test_an_outbox_of_the_first_release_is_carried_over(world: World) -> None:
    with closing(sqlite3.connect(world.outbox)) as connection, connection:
        connection.execute(
            "create table outbox (id integer primary key, alert_id text not null, event text not null,"
            " channel text not null, warehouse text not null, payload text not null,"
            " status text not null check (status in ('pending', 'sent', 'dead')), attempts integer not null,"
            " last_error text, created_at text not null, sent_at text, unique (alert_id, event, channel))"
        )
        connection.execute(
            "insert into outbox values (7, 'a-1', 'opened', 'recorder', ?, '{\"severity\": \"critical\"}', 'sent', 1,"
            " null, '2026-08-03T16:00:00', '2026-08-03T16:00:01')",
            [str(world.database.resolve())],
        )
    assert world.tells(incident("a-1"), incident("a-2")) == [("a-2", "opened")]


def test_an_outbox_of_a_later_release_is_left_alone(world: World) -> None:
    with open_store(world.outbox) as store:
        store.run("update outbox_version set version = 99")
    with pytest.raises(Exception, match="newer llm-spend"), open_store(world.outbox):
        pass


def test_acknowledging_waits_for_no_delivery(world: World) -> None:
    with open_outbox(world.outbox) as delivery, open_outbox(world.outbox, wait_seconds=None) as person:
        person.acknowledge("a-1", Acknowledgement("ann", None, LATER))
        assert delivery.acknowledgements()["a-1"].by == "ann"
