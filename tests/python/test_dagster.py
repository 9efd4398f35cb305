"""The Dagster project: its pure functions, its definitions, and its guards."""

import json
import logging
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from rich.console import Console

from alerting import CANARY, Endpoint, incident, serving, write_alerts
from conftest import ROOT, query
from llm_spend import dbt_run, quality
from llm_spend.alerts.deliver import ChannelReport, DeliveryReport, deliver_configured
from llm_spend.dbt_run import BuildRequest
from llm_spend.defs import dbt, sensors
from llm_spend.defs.alerts import alert_delivery, delivery_result
from llm_spend.defs.failures import one_line_failures
from llm_spend.defs.landing import check_result, landing_asset, landing_verdict
from llm_spend.defs.prices import check_result as check_prices
from llm_spend.defs.prices import prices_are_current
from llm_spend.defs.review import weekly_review_posted
from llm_spend.defs.schedules import complete_day, daily_build, hourly_build, judged_day
from llm_spend.defs.settings import Settings, read_settings
from llm_spend.errors import UserError
from llm_spend.pricing.refresh import RefreshReport, SeedChange
from llm_spend.quality import Finding, Verdict

EVENT = '{"started_at": "2026-10-01T10:00:00Z", "provider": "openai", "model": "gpt-4.1", "input_tokens": 10}\n'
ERROR = Finding("error", "at least 95% of the rows are valid", "a.jsonl", "2 of 4 rows not valid", ("a.jsonl line 1",))
WARNING = replace(ERROR, severity="warning", message="1 of 99 rows not valid")


def test_a_partition_is_two_vars_of_the_build():
    request = BuildRequest(Path("db"), vars=dbt_run.touched_days(date(2026, 10, 1), date(2026, 10, 4)))
    arguments = dbt_run.build_arguments(request)
    assert arguments[0] == "build"
    assert json.loads(arguments[arguments.index("--vars") + 1]) == {
        "event_source": "landing",
        "touched_from": "2026-10-01",
        "touched_to": "2026-10-04",
    }


def test_the_command_line_builds_what_dagster_builds():
    request = BuildRequest(Path("db"), event_source="demo")
    shared = dbt_run.build_arguments(request)
    assert dbt_run.dbt_arguments(request, Path("p"), Path("t"))[: len(shared)] == shared


def test_parsing_sees_the_vars_of_the_build():
    request = BuildRequest(Path("db"), config_seeds=Path("own"))
    assert json.loads(dbt_run.parse_arguments(request)[-1]) == {"event_source": "landing", "config_source": "own"}


@pytest.mark.parametrize(
    ("resource_type", "fqn", "group"),
    [
        ("seed", ["llm_spend", "model_prices"], "seeds"),
        ("model", ["llm_spend", "staging", "prices", "stg_prices__models"], "staging"),
        ("model", ["llm_spend", "intermediate", "pricing", "int_rate_cards"], "intermediate_pricing"),
        ("model", ["llm_spend", "marts", "core", "fct_llm_attempts"], "marts_core"),
        ("model", ["llm_spend", "marts", "anything_new", "nested", "some_mart"], "marts_anything_new"),
    ],
)
def test_groups_follow_the_folders(resource_type: str, fqn: list[str], group: str):
    assert dbt.group_of(resource_type, fqn) == group


@pytest.mark.parametrize(
    ("moment", "complete", "judged"),
    [
        (datetime(2026, 10, 26, 5, 10, tzinfo=UTC), "2026-10-25", "2026-10-26"),
        (datetime(2026, 10, 26, 0, 10, tzinfo=UTC), "2026-10-25", "2026-10-25"),
        (datetime.fromisoformat("2026-10-26T01:10:00+02:00"), "2026-10-24", "2026-10-25"),
    ],
)
def test_which_day_a_tick_is_about(moment: datetime, complete: str, judged: str):
    assert (complete_day(moment), judged_day(moment)) == (complete, judged)


def test_settings_come_from_the_environment(tmp_path: Path):
    settings = read_settings(
        {"LLM_SPEND_EVENTS": str(tmp_path / "*.jsonl"), "LLM_SPEND_MAPPING": " ", "LLM_SPEND_OWNER": "ann@acme.example"}
    )
    assert settings.event_source == "landing"
    assert settings.events == str(tmp_path / "*.jsonl")
    assert settings.mapping is None
    assert settings.owner == "ann@acme.example"
    assert read_settings({}).event_source == "demo"


def test_a_first_day_that_is_none_is_named():
    with pytest.raises(UserError, match="LLM_SPEND_FIRST_DAY is 2026-02-30"):
        read_settings({"LLM_SPEND_FIRST_DAY": "2026-02-30"})


def test_a_manifest_is_stale_after_any_change(tmp_path: Path):
    for folder in ("models/marts", "macros", "seeds", "tests/dbt"):
        (tmp_path / folder).mkdir(parents=True)
    model = tmp_path / "models" / "marts" / "m.sql"
    for path in (tmp_path / "dbt_project.yml", model):
        path.touch()
    manifest = tmp_path / "manifest.json"
    assert dbt.is_stale(manifest, tmp_path)
    manifest.touch()
    assert not dbt.is_stale(manifest, tmp_path)
    later = manifest.stat().st_mtime + 10
    os.utime(model, (later, later))
    assert dbt.is_stale(manifest, tmp_path)
    os.utime(manifest, (later, later))
    model.unlink()
    os.utime(model.parent, (later + 10, later + 10))
    assert dbt.is_stale(manifest, tmp_path)


def test_errors_of_the_gate_block_and_warnings_show():
    error = check_result(Verdict((ERROR, WARNING), Path("/docs/index.html"), rows=103))
    assert (error.passed, error.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert error.description == "at least 95% of the rows are valid: a.jsonl: 2 of 4 rows not valid: line 1"
    assert error.metadata["data_docs"].value == "/docs/index.html"
    assert [record.data["severity"] for record in error.metadata["findings"].records] == ["error", "warning"]
    warning = check_result(Verdict((WARNING,), None, rows=99))
    assert (warning.passed, warning.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check_result(Verdict((), None, rows=99)).passed


def test_a_dead_letter_fails_the_delivery_check():
    fine, refused = ChannelReport("jsonl", 3, 0, 0), ChannelReport("slack", 0, 0, 2, "HTTP 404")
    result = delivery_result(DeliveryReport((fine, refused)))
    assert result.metadata["jsonl_sent"] == 3
    assert result.metadata["slack_dead"] == 2
    assert not result.check_results[0].passed
    assert delivery_result(DeliveryReport((fine,))).check_results[0].passed


@pytest.mark.parametrize(("exit_code", "tried_again"), [(1, True), (2, False)])
def test_wrong_input_is_not_tried_again(exit_code: int, tried_again: bool):
    with pytest.raises(dg.Failure, match="in use") as failure, one_line_failures():
        raise UserError("db is in use", exit_code)
    assert failure.value.allow_retries == tried_again


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    from llm_spend.defs.everything import definitions

    return definitions(read_settings({}))


@pytest.fixture(scope="module")
def specs(defs: dg.Definitions) -> Sequence[dg.AssetSpec]:
    return list(defs.resolve_all_asset_specs())


@pytest.fixture(scope="module")
def manifest(defs: dg.Definitions) -> dict:
    return json.loads((dbt.artifacts_dir(read_settings({}).build_request()) / "manifest.json").read_text())


def test_every_seed_and_model_is_an_asset_in_the_group_of_its_folder(specs: Sequence[dg.AssetSpec], manifest: dict):
    groups = {spec.key.path[-1]: spec.group_name for spec in specs}
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] in ("seed", "model")]
    others = {"landing", "published_copy", "report", "alert_delivery", "weekly_review_posted"}
    assert len(nodes) == len(specs) - len(others)
    for node in nodes:
        top, *folders = Path(node["original_file_path"]).parts[:-1]
        expected = "seeds" if top == "seeds" else folders[0] if folders[0] == "staging" else "_".join(folders)
        assert groups[node["name"]] == expected


def test_every_asset_has_an_owner_a_description_a_group_and_a_freshness_policy(specs: Sequence[dg.AssetSpec]):
    for spec in specs:
        assert spec.owners == ["team:finops"], spec.key
        assert spec.description, spec.key
        assert spec.group_name not in (None, "default"), spec.key
        assert spec.freshness_policy, spec.key


def test_every_data_test_is_a_check_and_no_two_share_a_name(defs: dg.Definitions, manifest: dict):
    checks = Counter(key.name for key in defs.resolve_asset_graph().asset_check_keys)
    assert max(checks.values()) == 1
    nodes = [node for node in manifest["nodes"].values() if node["config"]["enabled"]]
    tests = {node["name"] for node in nodes if node["resource_type"] == "test"}
    assert set(checks) == tests | {"landing_verdict", "alerts_delivered", "prices_are_current"}


def test_the_landing_tables_are_the_asset_that_fills_them(tmp_path: Path):
    from llm_spend.defs.everything import definitions

    own = definitions(read_settings({"LLM_SPEND_EVENTS": str(tmp_path / "*.jsonl")}))
    specs = {spec.key: spec for spec in own.resolve_all_asset_specs()}
    judged = specs[dg.AssetKey(["llm_spend", "intermediate", "int_usage_events_judged"])]
    assert [dep.asset_key for dep in judged.deps] == [dbt.LANDING]


@pytest.mark.slow
def test_another_systems_log_comes_from_the_landing_asset_too(tmp_path: Path):
    from llm_spend.defs.everything import definitions

    settings = {"LLM_SPEND_EVENTS": str(tmp_path / "*.jsonl"), "LLM_SPEND_MAPPING": "helicone"}
    specs = {spec.key: spec for spec in definitions(read_settings(settings)).resolve_all_asset_specs()}
    staged = specs[dg.AssetKey(["llm_spend", "staging", "stg_helicone__requests"])]
    assert [dep.asset_key for dep in staged.deps] == [dbt.LANDING]


def test_the_definitions_validate():
    result = subprocess.run(
        [
            str(Path(sys.executable).with_name("dagster")),
            "definitions",
            "validate",
            "--module-name",
            "llm_spend.definitions",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LLM_SPEND_EVENTS": "", "DO_NOT_TRACK": "1"},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Validation successful" in result.stdout + result.stderr


@pytest.mark.parametrize(("schedule", "day"), [(daily_build, "2026-10-25"), (hourly_build, "2026-10-26")])
def test_a_tick_asks_for_one_partition(schedule: dg.ScheduleDefinition, day: str):
    moment = datetime(2026, 10, 26, 5, 10, tzinfo=UTC)
    context = dg.build_schedule_context(scheduled_execution_time=moment)
    assert schedule(context).partition_key == day


@pytest.fixture
def own_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("LLM_SPEND_DUCKDB_PATH", str(tmp_path / "own.duckdb"))
    (tmp_path / "events.jsonl").write_text(EVENT)
    return read_settings({"LLM_SPEND_EVENTS": str(tmp_path / "*.jsonl"), "DAGSTER_HOME": str(tmp_path)})


def _run_gate(settings: Settings) -> tuple[dg.ExecuteInProcessResult, bool]:
    """Run landing, its check, and a model behind them; whether the model ran."""

    @dg.asset(deps=[dbt.LANDING])
    def model() -> None: ...

    defs = dg.Definitions(assets=[landing_asset(settings), model], asset_checks=[landing_verdict(settings)])
    with dg.DagsterInstance.ephemeral() as instance:
        job = defs.resolve_implicit_global_asset_job_def()
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    return result, bool(result.asset_materializations_for_node("model"))


@pytest.mark.parametrize(
    ("finding", "goes_on"), [(ERROR, False), (WARNING, True)], ids=["an error stops", "a warning goes on"]
)
def test_the_gate(own_events: Settings, monkeypatch: pytest.MonkeyPatch, finding: Finding, goes_on: bool):
    monkeypatch.setattr(quality, "check", lambda *_arguments, **_options: Verdict((finding,), None, rows=4))
    result, model_ran = _run_gate(own_events)
    assert (result.success, model_ran) == (goes_on, goes_on)
    [check] = result.get_asset_check_evaluations()
    assert not check.passed


def test_a_file_without_a_required_column_stops_before_any_model(own_events: Settings, tmp_path: Path):
    (tmp_path / "events.jsonl").write_text('{"time": "2026-10-01T10:00:00Z", "model": "gpt-4.1"}\n')
    result, model_ran = _run_gate(own_events)
    assert not result.success
    assert not model_ran
    failure = result.failure_data_for_node("llm_spend__landing").user_failure_data
    assert "events.jsonl: no row has the column started_at" in failure.description


def test_without_events_the_door_stands_open():
    result, model_ran = _run_gate(read_settings({}))
    assert result.success
    assert model_ran
    [landed] = result.asset_materializations_for_node("llm_spend__landing")
    assert "demo" in landed.metadata["events"].value


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Endpoint]:
    """Slack on loopback; no warehouse yet, and an outbox of its own."""
    with serving() as endpoint:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
        monkeypatch.setenv("LLM_SPEND_DUCKDB_PATH", str(tmp_path / "none.duckdb"))
        monkeypatch.setenv("LLM_SPEND_SLACK_WEBHOOK_URL", endpoint.url)
        yield endpoint


def told(endpoint: Endpoint) -> list[str]:
    """The text of each message, its heading first."""
    return ["\n".join(block["text"]["text"] for block in body["blocks"]) for body in endpoint.accepted]


def _run_one_asset(check: dg.AssetCheckResult | Exception, instance: dg.DagsterInstance) -> dg.RunStatusSensorContext:
    key = dg.AssetKey(["llm_spend", "numbers"])

    @dg.asset(key=key, check_specs=[dg.AssetCheckSpec("fresh", asset=key)])
    def numbers() -> dg.MaterializeResult:
        if isinstance(check, Exception):
            raise check
        return dg.MaterializeResult(check_results=[check])

    job = dg.Definitions(assets=[numbers]).resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(instance=instance, raise_on_error=False, asset_selection=[key])
    ended = next(event for event in reversed(result.all_events) if event.is_job_event)
    return dg.build_run_status_sensor_context("sensor", ended, instance, result.dagster_run)


def test_a_failed_check_in_a_successful_run_is_told_once(slack: Endpoint, caplog: pytest.LogCaptureFixture):
    warning = dg.AssetCheckResult(
        check_name="fresh", passed=False, severity=dg.AssetCheckSeverity.WARN, description="<36 h> old"
    )
    with dg.DagsterInstance.ephemeral() as instance, caplog.at_level(logging.ERROR, "llm_spend"):
        context = _run_one_asset(warning, instance)
        assert sensors.failed_checks(context) is None
        assert sensors.failed_checks(context) is None
    assert "WARN llm_spend/numbers · fresh: <36 h> old" in caplog.text
    (message,) = told(slack)
    assert "which succeeded" in message
    assert "WARN llm_spend/numbers · fresh: &lt;36 h&gt; old" in message


def test_passed_checks_are_not_told(slack: Endpoint):
    with dg.DagsterInstance.ephemeral() as instance:
        context = _run_one_asset(dg.AssetCheckResult(check_name="fresh", passed=True), instance)
        assert isinstance(sensors.failed_checks(context), dg.SkipReason)
    assert told(slack) == []


def test_a_failed_run_is_told_when_slack_is_up_again(slack: Endpoint, tmp_path: Path):
    slack.default = (503, {"Retry-After": "60"})
    with dg.DagsterInstance.ephemeral() as instance:
        context = _run_one_asset(dg.Failure("a.jsonl: no such file"), instance)
        sensors.failed_runs(context.for_run_failure())
    assert told(slack) == []
    slack.default = (200, {})
    write_alerts(tmp_path / "none.duckdb")
    deliver_configured(tmp_path / "none.duckdb", Console(), datetime.now(UTC) + timedelta(hours=1))
    (message,) = told(slack)
    assert "a.jsonl: no such file" in message


def test_a_delivery_by_dagster_leaves_no_secret_behind(slack: Endpoint, tmp_path: Path, capfd: pytest.CaptureFixture):
    """The event log, the compute logs and every file, of a delivery that succeeds and of one that is refused."""
    write_alerts(tmp_path / "none.duckdb", incident("a-1"), incident("a-2"))
    slack.answers = [(200, {}), (404, {})]
    (tmp_path / "instance").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "instance")) as instance:
        result = dg.materialize([alert_delivery], instance=instance, raise_on_error=False)
        entries = [str(entry) for entry in instance.all_logs(result.run_id)]
    assert len(slack.accepted) == 1
    [check] = result.get_asset_check_evaluations()
    assert not check.passed
    everything = "".join([*entries, *capfd.readouterr()]).encode()
    everything += b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"a-1" in everything
    for secret in (CANARY, *CANARY.split("/")):
        assert secret.encode() not in everything


def test_the_review_of_a_week_is_told_once(slack: Endpoint, tmp_path: Path):
    with duckdb.connect(str(tmp_path / "none.duckdb")) as connection:
        connection.execute(
            "create schema marts; create table marts.weekly_review as select date '2026-10-19' as week_start_date,"
            " true as is_complete, 'spend' as section, 'total' as entity_type, 'total' as entity_id,"
            " 'spend' as measure, 12.5::decimal(28, 12) as amount_usd, 'week before' as compared_with,"
            " 10::decimal(28, 12) as compared_usd, 0.25 as change_ratio, null::text as owner, null::text as decision,"
            " 1 as rank_in_section"
            " union all select date '2026-10-19', true, 'margin', 'tenant', '<acme>', 'cost', 60, 'revenue', 49, 0.2,"
            " 'ann', 'raise the price or limit the use', 1"
        )
    for _ in range(2):
        assert dg.materialize([weekly_review_posted]).success
    (message,) = told(slack)
    assert message.splitlines() == [
        "LLM spend, week of 2026-10-19",
        "total spend: $12.50 against $10.00 week before",
        "To decide:",
        "tenant &lt;acme&gt;: raise the price or limit the use. $60.00 cost against $49.00 revenue. Owner: ann.",
    ]
    assert "&lt;acme&gt;" in (tmp_path / "reviews" / "2026-10-19.html").read_text()


def test_prices_that_a_refresh_would_change_are_a_warning():
    def report(changed: int) -> RefreshReport:
        seeds = [SeedChange("model_prices", 9, 0, changed, 0), SeedChange("model_rules", 9, 0, 0, 0)]
        return RefreshReport("genai-prices 9", [], [], [], [], seeds)

    assert check_prices(report(0)).passed
    outdated = check_prices(report(3))
    assert (outdated.passed, outdated.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert outdated.description == "llm-spend prices refresh would change 3 rows of model_prices (genai-prices 9)"


def test_the_price_check_compares_a_copy_of_the_seeds():
    before = [path.read_bytes() for path in sorted((ROOT / "seeds" / "prices").glob("*.csv"))]
    assert prices_are_current().metadata["source"].value.startswith("genai-prices ")
    assert [path.read_bytes() for path in sorted((ROOT / "seeds" / "prices").glob("*.csv"))] == before


def test_days_of_the_build_can_be_backfilled_in_one_run(defs: dg.Definitions):
    """What the UI offers for a range of partitions: one run, whose vars name the first and the last day."""
    node = defs.resolve_asset_graph().get(dbt.ALERTS)
    assert node.backfill_policy == dg.BackfillPolicy.single_run()
    assert node.partitions_def.has_partition_key("2026-10-25")


def test_each_job_does_its_part(defs: dg.Definitions):
    """The build leaves out what has a week of its own."""
    jobs = {name: defs.resolve_job_def(f"llm_spend_{name}") for name in ("build", "review", "check_prices")}
    review = dg.AssetKey(["llm_spend", "weekly_review_posted"])
    assert review not in jobs["build"].asset_layer.selected_asset_keys
    assert set(jobs["review"].asset_layer.selected_asset_keys) == {review}
    checks = {name: {key.name for key in job.asset_layer.asset_graph.asset_check_keys} for name, job in jobs.items()}
    assert "prices_are_current" in checks["check_prices"] - checks["build"]


OWN_LOCATION = """
import dagster as dg

@dg.asset(key=["marts", "alerts"], required_resource_keys={"dbt"})
def alerts(context):
    return context.resources.dbt

@dg.asset(deps=[["llm_spend", "marts", "alerts"]])
def landing(): ...

@dg.op(name="dbt_build")
def something(): ...

@dg.job(name="build")
def build():
    something()

@dg.run_failure_sensor(name="failed_runs")
def failed_runs(context): ...

defs = dg.Definitions(
    assets=[alerts, landing],
    jobs=[build],
    schedules=[dg.ScheduleDefinition(name="daily_build", job=build, cron_schedule="0 5 * * *")],
    sensors=[failed_runs],
    resources={"dbt": "theirs"},
)
"""


@pytest.fixture
def merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    """The lines of docs/schedule.md, on a code location whose names are like ours."""
    package = tmp_path / "my_company"
    package.mkdir()
    (package / "definitions.py").write_text(OWN_LOCATION)
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "schedule.md").read_text("utf-8"), re.DOTALL)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "events.jsonl").write_text(EVENT)
    monkeypatch.setenv("LLM_SPEND_EVENTS", str(tmp_path / "*.jsonl"))
    monkeypatch.setenv("LLM_SPEND_DUCKDB_PATH", str(tmp_path / "llm_spend.duckdb"))
    names: dict[str, dg.Definitions] = {}
    try:
        exec(example, names)
    finally:
        for module in [name for name in sys.modules if name.startswith("my_company")]:
            del sys.modules[module]
    return names["defs"]


def test_our_definitions_merge_into_a_code_location_of_somebody_else(merged: dg.Definitions, tmp_path: Path):
    dg.Definitions.validate_loadable(merged)
    assert merged.resources == {"dbt": "theirs"}
    assert merged.executor is None
    build = merged.resolve_job_def("llm_spend_build")
    assert {key.path[0] for key in build.asset_layer.selected_asset_keys} == {"llm_spend"}
    names = [*merged.jobs, *merged.schedules, *merged.sensors]
    assert [one.name for one in names if not one.name.startswith("llm_spend_")] == [
        "build",
        "daily_build",
        "failed_runs",
    ]

    with dg.DagsterInstance.ephemeral() as instance:
        ours = build.execute_in_process(instance=instance, asset_selection=[dbt.LANDING], partition_key="2026-10-25")
        theirs = merged.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=instance, asset_selection=[dg.AssetKey(["marts", "alerts"])]
        )
    assert [event.asset_key for event in ours.get_asset_materialization_events()] == [dbt.LANDING]
    assert theirs.output_for_node("marts__alerts") == "theirs"
    assert (sensors.is_ours(ours.dagster_run), sensors.is_ours(theirs.dagster_run)) == (True, False)
    assert query(tmp_path / "llm_spend.duckdb", "select model from raw.raw_usage_events") == [("gpt-4.1",)]
