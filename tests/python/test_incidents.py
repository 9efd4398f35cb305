"""One cause is one page, with evidence to check; and the commands that show incidents and try other rules."""

import csv
import hashlib
import json
from decimal import Decimal
from pathlib import Path

import pytest

from conftest import ROOT, query, run_cli, write_jsonl

LOOP_KNOWN, LOOP_DAY_OVER = "2026-09-29 02:00", "2026-09-30 00:00"
CHILDREN = """
    select children.rule_id || ' of ' || children.entity_type || ' ' || children.entity_id, pages.rule_id
    from marts.alerts as children
    inner join marts.alerts as pages on children.parent_alert_id = pages.alert_id
    """


def test_the_runaway_loop_is_one_page(demo: Path) -> None:
    incidents = query(
        demo,
        "select alert_id, parent_alert_id, is_page from marts.alerts"
        " where likely_cause = 'runaway_loop' and opened_at between $1 and $2",
        LOOP_KNOWN,
        LOOP_DAY_OVER,
    )
    pages = [alert for alert, _, is_page in incidents if is_page]
    assert len(pages) == 1
    assert len(incidents) >= 6
    assert {parent for _, parent, _ in incidents} == {None, pages[0]}
    # the page was the first to be known
    assert query(
        demo, "select strftime(opened_at, '%Y-%m-%d %H:%M') from marts.alerts where alert_id = $1", *pages
    ) == [(LOOP_KNOWN,)]
    children = query(demo, CHILDREN + " where pages.alert_id = $1", *pages)
    assert {
        "tenant_hourly_budget of tenant vantage-freight",
        "budget_warning of agent research_agent_v1",
        "budget_exceeded of agent research_agent_v1",
        "budget_warning of endpoint research.report",
        "budget_exceeded of endpoint research.report",
    } <= {child for child, _ in children}


def test_the_retry_storm_is_told_of_with_the_budgets_it_used_up(demo: Path) -> None:
    children = query(demo, CHILDREN + " where pages.rule_id = 'retry_multiplier_increase'")
    assert "budget_warning of team customer-support" in {child for child, _ in children}


def test_children_are_counted_and_named_by_their_parent_and_have_none(demo: Path) -> None:
    parents = query(
        demo,
        """
        select pages.children, pages.parent_alert_id, pages.is_page or pages.severity = 'info',
            list_sort(cast(json_extract_string(pages.evidence, '$.children[*]') as varchar[])) = list_sort(
                (select list(alert_id) from marts.alerts as below where below.parent_alert_id = pages.alert_id)
            ),
            (select count(*) from marts.alerts as below where below.parent_alert_id = pages.alert_id)
        from marts.alerts as pages where children > 0
        """,
    )
    assert parents
    for children, parent, stands_for_itself, names_them, counted in parents:
        assert (children, parent, stands_for_itself, names_them) == (counted, None, True, True)


def test_dollars_of_the_evidence_are_those_beyond_the_usual_hours(demo: Path) -> None:
    # one hour of the agent, less 1/96 of what it cost on the four Tuesdays before
    ((told,),) = query(
        demo,
        "select distinct evidence ->> '$.top_agent_usd' from marts.alerts"
        " where rule_id = 'hourly_spend_spike' and opened_at = $1 and entity_type != 'tenant'",
        LOOP_KNOWN,
    )
    ((now, usual),) = query(
        demo,
        """
        select sum(cost_usd) filter (usage_hour = timestamp '2026-09-29 01:00'),
            sum(cost_usd) filter (usage_date in ('2026-09-22', '2026-09-15', '2026-09-08', '2026-09-01'))
        from marts.fct_llm_attempts where agent_id = 'research_agent_v1' and is_in_scope
        """,
    )
    assert abs(Decimal(told) - (now - usual / 96)) < Decimal("0.000001")


def test_each_query_of_the_evidence_shows_calls(demo: Path) -> None:
    for text, first in query(demo, "select evidence, window_start from marts.alerts"):
        evidence = json.loads(text)
        calls = query(demo, evidence["sql"].replace("select *", "select usage_date", 1))
        assert bool(calls) or not evidence["sample_request_ids"]
        assert all(day >= first.date() for (day,) in calls)
        assert len(set(evidence["sample_request_ids"])) == len(evidence["sample_request_ids"]) <= 10


CAUSES = {
    "retry_multiplier_increase": "retry_storm",
    "prompt_version_cost_drift": "prompt_got_longer",
    "tenant_hourly_budget": "runaway_loop",
}


@pytest.mark.parametrize("rule", CAUSES)
def test_planted_causes_are_named(demo: Path, rule: str) -> None:
    assert query(demo, "select distinct likely_cause from marts.alerts where rule_id = $1", rule) == [(CAUSES[rule],)]


def test_list_shows_pages_and_with_all_their_children(demo: Path) -> None:
    pages = _shown(demo, "list")
    ((page,),) = query(
        demo, "select alert_id[:8] from marts.alerts where is_page and rule_id = 'retry_multiplier_increase'"
    )
    assert page in pages
    assert "└" not in pages
    assert "2026-09-17 00:00" in pages
    assert "retry_storm" in pages
    everything = _shown(demo, "list", "--all")
    assert "└ budget_warning" in everything
    for (alert,) in query(demo, "select alert_id[:8] from marts.alerts"):
        assert alert in everything
    drifts = _shown(demo, "list", "--all", "--rule", "prompt_version_cost_drift")
    assert "checkout.summary" in drifts
    assert "summarizer_v4" in drifts
    assert "retry" not in drifts
    assert _shown(demo, "list", "--since", "2099-01-01").strip() == "No alerts."


def test_show_takes_the_beginning_of_an_id_and_tells_everything(demo: Path) -> None:
    ((alert_id, sql),) = query(
        demo,
        "select alert_id, evidence ->> '$.sql' from marts.alerts where rule_id = 'tenant_hourly_budget'",
    )
    shown = _shown(demo, "show", alert_id[:10])
    for expected in (
        "CRITICAL tenant_hourly_budget tenant vantage-freight",
        "runaway_loop",
        "Stop the run",
        "Told of by",
        "req-7f3a91",
        "research_agent_v1",
        alert_id,
    ):
        assert expected in shown
    assert sql in " ".join(shown.split())


def test_names_in_alerts_stay_text(demo: Path) -> None:
    assert "\x1b" not in _shown(demo, "list", "--all")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "zzz"), "zzz: no alert has this id"),
        (("show", ""), "alerts begin so"),
        (("list", "--rule", "no_such_rule"), "no incident is of this rule; there are some of budget_exceeded"),
        (("list", "--since", "yesterday"), "not an ISO 8601 day"),
        (("backtest", "--from", "2026-10-02", "--to", "2026-10-01"), "--from 2026-10-02 is after --to 2026-10-01"),
        (("backtest", "--from", "2027-01-01", "--to", "2027-01-02"), "the marts know nothing after 2026-10-26 00:00"),
        (("backtest", "--from", "2026-10-01", "--to", "2026-10-02", "--config", "nowhere"), "no such directory"),
    ],
)
def test_wrong_use_says_what_to_do(demo: Path, arguments: tuple[str, ...], said: str) -> None:
    result = run_cli("alerts", *arguments, "--db", demo)
    assert result.returncode in (1, 2)
    assert len(result.stderr.splitlines()) == 1
    assert said in result.stderr


@pytest.mark.parametrize(
    "arguments", [("list",), ("show", "a"), ("backtest", "--from", "2026-10-01", "--to", "2026-10-02")]
)
def test_a_warehouse_without_marts_says_what_to_build(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    missing = run_cli("alerts", *arguments, "--db", tmp_path / "none.duckdb")
    assert "does not exist: make it with llm-spend build --events" in missing.stderr
    event = {"event_id": "e1", "started_at": "2026-10-01T00:00:00Z", "provider": "openai", "model": "gpt-4o"}
    log = write_jsonl(tmp_path / "log.jsonl", [event])
    assert run_cli("load", "--events", log, "--db", tmp_path / "loaded.duckdb").returncode == 0
    empty = run_cli("alerts", *arguments, "--db", tmp_path / "loaded.duckdb")
    assert (empty.returncode != 0, "run llm-spend build first" in empty.stderr) == (True, True), empty.stderr


@pytest.mark.slow
def test_backtest_tries_other_rules_and_leaves_the_warehouse_alone(demo: Path, tmp_path: Path) -> None:
    config, artifacts = tmp_path / "config", tmp_path / "target"
    config.mkdir()
    (config / "alert_rules.csv").write_text(
        "rule_id,metric,kind,threshold,severity,likely_cause,recommended_action\n"
        "budget_exceeded,budget_use,above,1,critical,Over the budget,Act\n"
    )
    before = hashlib.md5(demo.read_bytes()).hexdigest()
    arguments = ("--from", "2026-09-01", "--to", "2026-10-24", "--config", config, "--db", demo)
    result = run_cli("alerts", "backtest", *arguments, DBT_TARGET_PATH=str(artifacts))
    assert result.returncode == 0, result.stderr
    assert hashlib.md5(demo.read_bytes()).hexdigest() == before
    assert not list(artifacts.glob("backtest-*"))
    rows = {cells[0]: cells[1:] for line in result.stdout.splitlines() if len(cells := line.split()) == 5}
    # tidepool on September 20 and October 18, the endpoint and the agent of the loop on September 30, of which one is
    # the child of the other now that no spike is reported; checkout.summary on the 25th is out of the range
    assert rows["budget_exceeded"][1::2] == ["3", "4"]
    assert rows["all"][1::2] == ["3", "4"]
    assert "Pages now, and would not" in result.stdout
    assert "retry_multiplier_increase" in result.stdout


@pytest.mark.slow
def test_backtest_names_the_line_of_a_broken_rule(demo: Path, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "alert_causes.csv").write_text(
        "rank,cause_id,signal,at_least,explanation,recommended_action\n1,heat,temperature,2,Hot,Open a window\n"
    )
    arguments = ("--from", "2026-10-01", "--to", "2026-10-02", "--config", config, "--db", demo)
    result = run_cli("alerts", "backtest", *arguments, DBT_TARGET_PATH=str(tmp_path / "target"))
    assert result.returncode == 1
    assert "alert_causes.csv, line 2: signal 'temperature': this column knows these words only" in result.stderr


SEVERITIES = ("critical", "warning", "info")


def _seed(name: str, *columns: str) -> set:
    """The values of a column, or of several as tuples."""
    with (ROOT / "seeds" / "config" / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {row[columns[0]] if len(columns) == 1 else tuple(row[column] for column in columns) for row in rows}


def test_every_rule_has_its_section_in_the_runbook_and_every_cause_its_line() -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    sections = {part.splitlines()[0].strip("` "): part for part in runbook.split("\n### ")[1:]}
    assert _seed("alert_rules.csv", "rule_id") == sections.keys()
    severities = _seed("alert_rules.csv", "rule_id", "severity")
    for rule, section in sections.items():
        for part in ("Means", "Look at", "Tune", "Wakes"):
            assert f"**{part}**" in section, (rule, part)
        assert any((rule, severity) in severities for severity in SEVERITIES if f"**Wakes**: {severity}" in section), (
            rule
        )
    causes = {line.split("`")[1] for line in runbook.splitlines() if line.startswith("| `")}
    assert _seed("alert_causes.csv", "cause_id") | {"unknown"} <= causes


def test_every_rule_takes_part_in_inhibition() -> None:
    assert _seed("alert_rules.csv", "rule_id") == _seed("alert_inhibitions.csv", "rule_id")


def _shown(database: Path, *arguments: object) -> str:
    result = run_cli("alerts", *arguments, "--db", database)
    assert result.returncode == 0, result.stderr
    return result.stdout
