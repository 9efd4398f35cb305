"""How the benchmark of the alerts counts: every expected value is worked by hand."""

import importlib
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))
scoring = importlib.import_module("alert_scoring")
plain = importlib.import_module("plain_thresholds")

ENDPOINT, TENANT, TOTAL = ("endpoint", "chat.assist"), ("tenant", "customer-07"), ("total", "total")
RULES = {
    "hourly_spend_spike": scoring.Rule(5.0, "hourly"),
    "retry_multiplier_increase": scoring.Rule(4.0, "daily"),
    "slow_spend_drift": scoring.Rule(3.0, "daily"),
    "budget_exceeded": scoring.Rule(0.0, "monthly budget"),
}
NOON = datetime(2026, 8, 20, 12)
MIDNIGHT = NOON.replace(hour=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def label(**changes: object) -> object:
    """A retry storm from noon to midnight of the next day, with 6 dollars in each of its first two hours."""
    values = {
        "label_id": "1-01",
        "kind": "retry_storm",
        "detected": "daily",
        "starts_at": NOON,
        "ends_at": NOON + 36 * HOUR,
        "entities": frozenset({ENDPOINT, TOTAL}),
        "rules": frozenset({"hourly_spend_spike", "retry_multiplier_increase"}),
        "meant": frozenset({"retry_multiplier_increase"}),
        "dollars": 12.0,
        "hours": {NOON: 6.0, NOON + HOUR: 6.0},
    }
    return scoring.Label(**{**values, **changes})


def alert(rule_id: str = "retry_multiplier_increase", start: datetime = MIDNIGHT, **changes: object) -> object:
    """A daily page on the endpoint, about the first day of the storm, opened when that day ends."""
    values = {"entity": ENDPOINT, "window_start": start, "window_end": start + DAY, "opened_at": start + DAY}
    return scoring.Alert(rule_id, **{**values, **changes})


def outcomes(labels: list, alerts: list) -> list[str]:
    return [verdict.outcome for verdict in scoring.score(labels, alerts, RULES).verdicts]


def test_the_first_page_is_right_and_the_second_a_duplicate() -> None:
    hourly = alert("hourly_spend_spike", NOON, window_end=NOON + HOUR, opened_at=NOON + HOUR, entity=TOTAL,
                   period_type="hourly")  # fmt: skip
    scored = scoring.score([label()], [alert(), hourly], RULES)
    assert [(verdict.alert.rule_id, verdict.outcome) for verdict in scored.verdicts] == [
        ("hourly_spend_spike", "right"),
        ("retry_multiplier_increase", "duplicate"),
    ]
    assert scored.delays == {"1-01": HOUR}


@pytest.mark.parametrize(
    "changes",
    [
        {"rule_id": "budget_exceeded"},
        {"entity": TENANT},
        {"opened_at": NOON},
        {"start": datetime(2026, 8, 23)},
    ],
    ids=["a rule that is not the label's", "another entity", "opened before it began", "a day too late"],
)
def test_a_page_that_does_not_fit_is_false(changes: dict[str, object]) -> None:
    assert outcomes([label()], [alert(**changes)]) == ["false"]


def test_a_window_may_begin_one_period_after_the_end() -> None:
    """The storm ends at midnight of the 21st: a day begins within one day of it, an hour must within one hour."""
    ends_at = NOON + 36 * HOUR
    assert outcomes([label()], [alert(start=ends_at)]) == ["right"]
    hour = {"window_end": ends_at + 3 * HOUR, "period_type": "hourly"}
    assert outcomes([label()], [alert("hourly_spend_spike", ends_at + HOUR, **hour)]) == ["false"]
    assert outcomes([label()], [alert("hourly_spend_spike", ends_at + HOUR / 2, **hour)]) == ["right"]


def test_children_page_nobody() -> None:
    scored = scoring.score([label()], [alert(pages=False)], RULES)
    assert scored.verdicts == ()
    assert scored.delays == {}
    assert len(scored.required) == 1


def test_an_incident_below_the_dollars_counts_neither_way() -> None:
    """Its dearest day has 3.90 dollars, and the rule meant for it asks for 4."""
    small = label(dollars=7.8, hours={NOON: 3.9, NOON + DAY: 3.9})
    scored = scoring.score([small], [alert(), alert(start=MIDNIGHT + DAY)], RULES)
    assert [verdict.outcome for verdict in scored.verdicts] == ["neither", "neither"]
    assert scored.required == ()
    assert scoring.is_required(label(hours={NOON: 2.0, NOON + HOUR: 2.0}), RULES)


def test_an_hourly_rule_asks_for_its_dollars_in_one_hour() -> None:
    spread = {"meant": frozenset({"hourly_spend_spike"}), "hours": {NOON + nth * HOUR: 4.9 for nth in range(9)}}
    assert not scoring.is_required(label(**spread), RULES)
    assert scoring.is_required(label(**{**spread, "hours": {NOON: 5.0}}), RULES)


def test_what_no_rule_looks_for_is_still_required() -> None:
    assert scoring.is_required(label(meant=frozenset({"rule_that_nobody_wrote"})), RULES)
    assert scoring.is_required(label(meant=frozenset({"budget_exceeded"}), dollars=0.5, hours={}), RULES)


def test_what_is_planned_small_or_benign_is_never_required() -> None:
    assert not scoring.is_required(label(is_small=True), RULES)
    assert not scoring.is_required(label(is_benign=True), RULES)


def test_a_rule_may_speak_of_an_outage() -> None:
    outage = label(label_id="1-02", kind="source_outage", rules=frozenset({"data_stale"}), is_benign=True)
    assert outcomes([outage], [alert("data_stale"), alert()]) == ["neither", "false"]


def test_a_false_page_names_the_benign_event_at_its_time() -> None:
    holiday = label(label_id="1-03", kind="holiday", entities=frozenset({TOTAL}), rules=frozenset(), is_benign=True)
    launch = label(label_id="1-04", kind="endpoint_launch", rules=frozenset(), is_benign=True)
    (verdict,) = scoring.score([holiday, launch], [alert()], RULES).verdicts
    assert (verdict.outcome, verdict.label.label_id) == ("false", "1-04")


def test_a_page_goes_to_the_incident_that_has_none_yet() -> None:
    """Both are on the total. The first page fits only the older, so the second is about the newer."""
    newer = label(label_id="1-05", starts_at=NOON + DAY, ends_at=NOON + 2 * DAY, entities=frozenset({TOTAL}))
    pages = [alert(entity=TOTAL), alert(entity=TOTAL, start=MIDNIGHT + DAY)]
    scored = scoring.score([label(), newer], pages, RULES)
    assert [(verdict.outcome, verdict.label.label_id) for verdict in scored.verdicts] == [
        ("right", "1-01"),
        ("right", "1-05"),
    ]


def test_a_page_goes_to_the_incident_that_its_rule_is_meant_for() -> None:
    other = label(label_id="1-06", starts_at=NOON + HOUR, meant=frozenset({"hourly_spend_spike"}))
    (verdict,) = scoring.score([label(), other], [alert()], RULES).verdicts
    assert verdict.label.label_id == "1-01"


def test_the_delay_of_a_version_starts_with_its_sample() -> None:
    judgeable = label(detected="version drift", judgeable_at=NOON + 2 * DAY)
    assert scoring.delay(judgeable, alert(opened_at=NOON + 3 * DAY), RULES) == DAY
    assert scoring.delay(judgeable, alert(opened_at=NOON + DAY), RULES) == timedelta()


def test_the_delay_of_a_drift_starts_with_the_first_day_of_enough_dollars() -> None:
    """1, 2 and 3.5 dollars on three days, and the rule asks for 3: the third day, from its midnight."""
    drift = label(
        detected="slow drift",
        meant=frozenset({"slow_spend_drift"}),
        starts_at=MIDNIGHT,
        hours={MIDNIGHT: 1.0, MIDNIGHT + DAY: 2.0, MIDNIGHT + 2 * DAY: 1.5, MIDNIGHT + 2 * DAY + HOUR: 2.0},
    )
    assert scoring.delay(drift, alert(opened_at=MIDNIGHT + 4 * DAY), RULES) == 2 * DAY


def test_pooled_figures() -> None:
    """Two right, one duplicate, one false, two of three found; twice 40 tenants for 90 days are 78.85 quarters."""
    missed = label(label_id="1-07", entities=frozenset({TENANT}))
    seeds = [
        scoring.score([label(), missed], [alert(), alert(opened_at=NOON + 2 * DAY)], RULES),
        scoring.score([label()], [alert(entity=TENANT), alert(opened_at=NOON + 20 * HOUR)], RULES),
    ]
    pooled = scoring.Pooled(seeds)
    assert pooled.precision == pytest.approx(2 / 4)
    assert pooled.recall == pytest.approx(2 / 3)
    assert pooled.false_pages_per_tenant_quarter(40, 90) == pytest.approx(1 / 78.85, rel=1e-4)
    # From noon to midnight, and from noon to eight the next morning.
    assert sorted(pooled.delays(kind="retry_storm")) == [12 * HOUR, 20 * HOUR]
    assert scoring.median_delay(pooled.delays(detected="daily")) == 16 * HOUR
    assert scoring.median_delay(pooled.delays(detected="hourly")) is None


def test_nothing_said_is_no_precision() -> None:
    assert scoring.Pooled([scoring.score([label()], [], RULES)]).precision is None


def series(step: timedelta, *dollars: float) -> dict[datetime, float]:
    return {datetime(2026, 8, 3) + nth * step: value for nth, value in enumerate(dollars)}


def test_plain_hour_is_five_times_the_average_hour_of_a_week() -> None:
    """168 hours of one dollar: five dollars do not page, 5.01 do; then the average is a little higher."""
    quiet = series(HOUR, *[1.0] * 168, 5.0)
    assert list(plain.incidents("hourly_spend_spike", TOTAL, quiet, HOUR, plain.hourly)) == []
    (page,) = plain.incidents("hourly_spend_spike", TOTAL, series(HOUR, *[1.0] * 168, 5.01), HOUR, plain.hourly)
    assert (page.window_start, page.opened_at, page.baseline) == (datetime(2026, 8, 10), datetime(2026, 8, 10, 1), 5.0)
    assert page.period_type == "hourly"


def test_plain_day_is_a_quarter_more_than_the_day_before() -> None:
    """From 10 to 12.5 is a quarter and does not page; from 12.5 to 16 does, to 20.5 goes on, to 21 ends it."""
    days = series(DAY, *[10.0] * 8, 12.5, 16.0, 20.5, 21.0)
    (page,) = plain.incidents("daily_spend_jump", TENANT, days, DAY, plain.day_over_day)
    assert (page.window_start, page.window_end) == (datetime(2026, 8, 12), datetime(2026, 8, 14))
    assert page.opened_at == datetime(2026, 8, 13)
    assert page.dollars == pytest.approx(16 - 15.625)


def test_plain_week_is_three_times_its_median_day() -> None:
    """The median of 1, 1, 2, 2, 2, 9 and 9 is 2: six dollars do not page, 6.5 do."""
    week = (1.0, 9.0, 2.0, 2.0, 1.0, 9.0, 2.0)
    assert (
        list(plain.incidents("week_over_week_outlier", TENANT, series(DAY, *week, 6.0), DAY, plain.week_median)) == []
    )
    (page,) = plain.incidents("week_over_week_outlier", TENANT, series(DAY, *week, 6.5), DAY, plain.week_median)
    assert page.baseline == 6.0
