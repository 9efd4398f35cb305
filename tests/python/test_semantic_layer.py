"""The metrics of the semantic layer are the numbers of the marts: `mf query` against the marts' SQL, on the demo."""

import csv
import json
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from itertools import chain
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, query

DEFINITIONS = ROOT / "models" / "semantic_layer"
MONEY = {"llm_spend", "llm_wasted_spend", "llm_useful_spend", "llm_cache_savings", "llm_out_of_scope_spend",
         "llm_revenue", "llm_full_cost", "llm_margin"}  # fmt: skip
COUNTS = {"llm_attempts", "llm_requests", "llm_retries", "llm_successful_tasks", "llm_attempts_without_cost",
          "llm_input_tokens", "llm_cached_input_tokens", "llm_output_tokens"}  # fmt: skip
RATIOS = {"llm_cost_per_request", "llm_cost_per_successful_task", "llm_retry_multiplier", "llm_cost_multiplier",
          "llm_wasted_share", "llm_cache_hit_rate", "llm_margin_rate"}  # fmt: skip

QUESTIONS = {
    "each tenant and day": (
        ["llm_spend", "llm_wasted_spend", "llm_attempts", "llm_requests", "llm_retries", "llm_input_tokens",
         "llm_output_tokens", "llm_attempts_without_cost", "llm_cost_per_request"],
        ["metric_time__day", "llm_tenant"],
        """
        select usage_date, tenant_id, cost_usd, wasted_cost_usd, attempts, requests, retries, input_tokens,
            output_tokens, attempts_without_cost, cost_per_request_usd
        from marts.tenant_daily_spend
        """,
    ),
    "each model and day": (
        ["llm_spend", "llm_requests", "llm_cost_per_request"],
        ["metric_time__day", "llm_usage__model"],
        """
        select usage_date, entity_id, cost_usd, requests, cost_per_request_usd
        from marts.entity_daily_spend where entity_type = 'model'
        """,
    ),
    "each endpoint and day": (
        ["llm_attempts", "llm_useful_spend", "llm_retry_multiplier", "llm_cost_multiplier", "llm_wasted_share"],
        ["metric_time__day", "llm_usage__endpoint_tag"],
        """
        select usage_date, entity_id, attempts, useful_cost_usd, retry_multiplier_ratio, cost_multiplier_ratio,
            wasted_cost_usd / nullif(cost_usd, 0)
        from marts.retry_multipliers where entity_type = 'endpoint'
        """,
    ),
    "each endpoint, provider, model and day": (
        ["llm_cached_input_tokens", "llm_cache_savings", "llm_cache_hit_rate"],
        ["metric_time__day", "llm_usage__endpoint_tag", "llm_usage__provider", "llm_usage__model"],
        """
        select usage_date, endpoint_tag, provider, model, cached_input_tokens, cache_savings_usd, cache_hit_ratio
        from marts.cache_efficiency
        """,
    ),
    "each workflow and week": (
        ["llm_spend", "llm_successful_tasks", "llm_cost_per_successful_task"],
        ["metric_time__week", "llm_usage__workflow_id"],
        """
        select week_start_date, entity_id, cost_usd, successful_tasks, cost_per_success_usd
        from marts.cost_per_successful_task where entity_type = 'workflow'
        """,
    ),
    "each tenant and month": (
        ["llm_spend", "llm_revenue", "llm_full_cost", "llm_margin", "llm_margin_rate"],
        ["metric_time__month", "llm_tenant"],
        """
        select usage_month, tenant_id, nullif(cost_usd, 0), revenue_usd, total_cost_usd, margin_usd, margin_ratio
        from marts.tenant_margin
        """,
    ),
    "each prompt version of each endpoint": (
        ["llm_spend", "llm_requests"],
        ["llm_usage__endpoint_tag", "llm_usage__prompt_version"],
        """
        select endpoint_tag, prompt_version, sum(coalesce(cost_usd, 0)), count(*) filter (is_first_attempt)
        from marts.fct_llm_attempts where is_in_scope group by all
        """,
    ),
    "everything, and what is out of scope": (
        ["llm_spend", "llm_out_of_scope_spend"],
        [],
        """
        select (select sum(cost_usd) from marts.entity_daily_spend where entity_type = 'total'),
            (select sum(cost_usd) from marts.out_of_scope_spend)
        """,
    ),
}  # fmt: skip
"""Metrics, what they are grouped by, and the SQL of the same rows, the groups first."""

COMMANDS = """
import json, sys
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from dbt_metricflow.cli.main import cli
configuration = CLIConfiguration()
for command in json.loads(sys.argv[1]):
    cli.main(command, obj=configuration, standalone_mode=False)
"""


def defined() -> dict[str, dict]:
    return {one["name"]: one for one in yaml.safe_load((DEFINITIONS / "metrics.yml").read_text("utf-8"))["metrics"]}


def test_every_metric_is_compared_with_a_mart() -> None:
    compared = {metric for metrics, _, _ in QUESTIONS.values() for metric in metrics}
    assert compared == {*defined()} == MONEY | COUNTS | RATIOS


def test_a_ratio_is_one_of_sums() -> None:
    metrics = defined()
    ratios = {name for name, metric in metrics.items() if metric["type"] == "ratio"}
    assert ratios == RATIOS
    assert {metrics[part]["type"] for name in ratios for part in metrics[name]["type_params"].values()} == {"simple"}
    models = (yaml.safe_load(path.read_text("utf-8"))["semantic_models"] for path in DEFINITIONS.glob("llm_*.yml"))
    assert {measure["agg"] for model in chain(*models) for measure in model.get("measures", [])} == {"sum"}


def test_usage_is_counted_in_scope_unless_its_name_says_otherwise() -> None:
    (usage,) = yaml.safe_load((DEFINITIONS / "llm_usage.yml").read_text("utf-8"))["semantic_models"]
    of_usage = {measure["name"] for measure in usage["measures"]}
    filters = {
        name: metric.get("filter")
        for name, metric in defined().items()
        if metric["type"] == "simple" and metric["type_params"]["measure"] in of_usage
    }
    assert filters.pop("llm_out_of_scope_spend") == "not {{ Dimension('llm_usage__is_in_scope') }}"
    assert {*filters.values()} == {"{{ Dimension('llm_usage__is_in_scope') }}"}


@pytest.fixture(scope="module")
def project(demo: Path, module_path: Path) -> Path:
    """What `mf` needs beside the warehouse: the project's two files, and what dbt parsed."""
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, module_path)
    for name in ("models", "macros", "seeds"):
        (module_path / name).symlink_to(ROOT / name)
    (module_path / "tests").mkdir()
    (module_path / "tests" / "dbt").symlink_to(ROOT / "tests" / "dbt")
    run(module_path, demo, "dbt", "parse")
    return module_path


def run(project: Path, demo: Path, program: str, *arguments: object) -> str:
    here = {"DBT_PROFILES_DIR": ".", "DBT_PROJECT_DIR": ".", "DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=project, env={**os.environ, **here, "LLM_SPEND_DUCKDB_PATH": str(demo)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="module")
def answers(project: Path, demo: Path) -> dict[str, list[dict[str, str]]]:
    """What `mf query` answers to each question, by column. The commands share a process: its start takes longest."""
    commands = [
        ["query", "--quiet", "--metrics", ",".join(metrics), *(["--group-by", ",".join(groups)] if groups else []),
         "--csv", f"{number}.csv"]
        for number, (metrics, groups, _) in enumerate(QUESTIONS.values())
    ]  # fmt: skip
    run(project, demo, "python", "-c", COMMANDS, json.dumps(commands))
    return {
        question: list(csv.DictReader((project / f"{number}.csv").read_text(encoding="utf-8").splitlines()))
        for number, question in enumerate(QUESTIONS)
    }


@pytest.mark.slow
@pytest.mark.parametrize("question", QUESTIONS)
def test_metrics_are_the_marts_numbers(answers: dict[str, list[dict[str, str]]], demo: Path, question: str) -> None:
    metrics, groups, sql = QUESTIONS[question]
    answer = {
        tuple(row[group].removesuffix(" 00:00:00") for group in groups): [row[metric] for metric in metrics]
        for row in answers[question]
    }
    expected = {tuple(map(str, row[: len(groups)])): row[len(groups) :] for row in query(demo, sql)}
    assert {*answer} == {*expected} != set()
    for key, values in expected.items():
        for metric, found, wanted in zip(metrics, answer[key], values, strict=True):
            if wanted is None:
                assert found == "", (key, metric)
            elif metric in RATIOS:
                assert abs(float(found) - float(wanted)) < 1e-9, (key, metric, found, wanted)
            else:
                assert Decimal(found) == Decimal(wanted), (key, metric, found, wanted)


@pytest.mark.slow
def test_metricflow_finds_no_fault_in_the_definitions(project: Path, demo: Path) -> None:
    """It also runs each dimension, entity, measure and metric in the warehouse."""
    said = run(project, demo, "mf", "validate-configs")
    assert said.count("(ERRORS: 0, FUTURE_ERRORS: 0, WARNINGS: 0)") == 6
    parsed = json.loads((project / "target" / "semantic_manifest.json").read_text(encoding="utf-8"))
    assert {metric["name"] for metric in parsed["metrics"]} == {*defined()}
