"""A dbt project of somebody else that installs the package: its own log, schemas, vars, seeds, models and macros."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from conftest import ROOT, query
from servers.engine import Engine
from servers.postgres import postgres_engine

CONSUMER = ROOT / "tests" / "consumer"
ADAPTERS = {"bigquery", "clickhouse", "duckdb", "postgres", "snowflake", "spark"}
PLAIN_DBT = """
import sys
for name in sys.argv.pop(1).split():
    sys.modules[name] = None  # as if it were not installed
from dbt.cli.main import cli
cli()
"""
NAMESAKE_FLAG = "require_ref_searches_node_package_before_root"
READER = {"LLM_SPEND_READER_ROLES": "bi_reader"}
Query = Callable[[str], list[tuple]]


def copy_of_the_shop(folder: Path) -> Path:
    project = shutil.copytree(CONSUMER, folder, ignore=shutil.ignore_patterns("dbt_packages", "target", "logs"))
    (project / "packages.yml").write_text(f"packages:\n  - local: {ROOT}\n", encoding="utf-8")
    return project


def run_dbt(project: Path, *command: str, adapter: str = "duckdb", **environment: str) -> subprocess.CompletedProcess:
    """dbt with one adapter, and without our Python."""
    missing = ["llm_spend", *(f"dbt.adapters.{name}" for name in sorted(ADAPTERS - {adapter}))]
    places = {"SHOP_TARGET": adapter, "SHOP_DUCKDB_PATH": "shop.duckdb", "DBT_TARGET_PATH": "target"}
    return subprocess.run(
        [sys.executable, "-c", PLAIN_DBT, " ".join(missing), *command, "--profiles-dir", "."],
        cwd=project,
        env={**os.environ, **places, "DBT_LOG_PATH": "logs", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def build(project: Path, *options: str, adapter: str = "duckdb", **environment: str) -> None:
    for command in (["deps"], ["build", *options]):
        done = run_dbt(project, *command, adapter=adapter, **environment)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def manifest(project: Path) -> dict:
    return json.loads((project / "target" / "manifest.json").read_text(encoding="utf-8"))


def semantic_manifest(project: Path) -> tuple[list[str], set[str]]:
    """The models that are time spines, and the names of all metrics."""
    parsed = json.loads((project / "target" / "semantic_manifest.json").read_text(encoding="utf-8"))
    spines = [spine["node_relation"]["alias"] for spine in parsed["project_configuration"]["time_spines"]]
    return spines, {metric["name"] for metric in parsed["metrics"]}


@pytest.fixture(scope="module")
def duckdb_shop(module_path: Path) -> Path:
    project = copy_of_the_shop(module_path / "shop")
    build(project, "--exclude-resource-type", "test")
    return project


def settings_without_the_flag(project: Path) -> dict:
    settings = yaml.safe_load((project / "dbt_project.yml").read_text(encoding="utf-8"))
    del settings["flags"][NAMESAKE_FLAG]
    return settings


@pytest.fixture(scope="module")
def postgres_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Engine]]:
    """The other way to have seeds of one's own: dbt as it comes, and names of one's own. With all data tests.

    Beside it, without the package's metrics, one of the shop's own has the name of one of them. And the marts have a
    reader, made by the SQL of docs/bi.md.
    """
    project = copy_of_the_shop(tmp_path_factory.mktemp("postgres_shop") / "shop")
    for name in ("alerts", "dim_dates"):
        (project / "models" / "marts" / f"{name}.sql").unlink()
    (project / "seeds" / "budgets.csv").rename(project / "seeds" / "shop_budgets.csv")
    settings = settings_without_the_flag(project)
    settings["vars"]["llm_spend"]["config_models"] = {"budgets": "shop_budgets"}
    del settings["semantic-models"], settings["metrics"]
    metrics = project / "models" / "marts" / "metrics.yml"
    metrics.write_text(metrics.read_text(encoding="utf-8").replace("calls_of_the_shop", "llm_spend"), encoding="utf-8")
    (project / "dbt_project.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    pytest.importorskip("psycopg2", reason="the extra `engines` is not installed")
    with tempfile.TemporaryDirectory() as folder, postgres_engine(Path(folder)) as server:
        server.execute(role_of_the_docs("postgres").replace("marts", "analytics_llm"))
        build(project, adapter="postgres", **server.environment, **READER)
        yield project, server


def role_of_the_docs(engine: str) -> str:
    """The SQL of docs/bi.md that makes the role of readers."""
    page = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")
    (sql,) = re.findall(rf"```sql\n-- {engine}: [^\n]*\n(.*?)```", page, re.DOTALL)
    return sql


@pytest.fixture(params=["duckdb", pytest.param("postgres", marks=pytest.mark.slow)])
def ask(request: pytest.FixtureRequest) -> Query:
    """A question to the shop's warehouse, which is built once for each engine."""
    if request.param == "postgres":
        _, server = request.getfixturevalue("postgres_shop")
        return lambda sql: server.query(sql)[1]
    return lambda sql: query(request.getfixturevalue("duckdb_shop") / "shop.duckdb", sql)


def test_the_bill_is_that_of_the_projects_own_log(ask: Query) -> None:
    """By hand, with the list prices, USD a million: gpt-4o 2.50, cached 1.25, output 10; gpt-4o-mini 0.15 and 0.60."""
    assert ask("select customer, llm_cost_usd from analytics_reporting.customers order by customer") == [
        ("globex", Decimal("0.0105")),  # 0.0045 + 0.0025 (failed, tried again) + 0.0035
        ("initech", Decimal("0.01485")),  # 0.0025 + 0.00375 + 0.005 and 0.003 + 0.0006
    ]


def test_the_package_writes_into_the_schema_it_was_given_and_nowhere_else(ask: Query) -> None:
    relations = "select table_schema, table_name from information_schema.tables where table_schema like 'analytics%'"
    others = "select distinct table_schema from information_schema.tables where table_schema in"
    found = ask(relations)
    assert {schema for schema, _ in found} == {
        "analytics",
        "analytics_files",
        "analytics_reporting",
        "analytics_llm",
        "analytics_raw",
    }
    assert ask(f"{others} ('raw', 'staging', 'intermediate', 'marts', 'main')") == []
    of_the_shop = {"customers", "days_of_sale", "dim_dates", "alerts"}
    assert {name for schema, name in found if schema == "analytics_reporting"} <= of_the_shop
    assert [name for _, name in found if "demo" in name] == []


def test_macros_and_vars_of_the_project_keep_their_meaning(ask: Query) -> None:
    assert ask("select distinct clock from analytics_reporting.customers") == [("the clock of the shop",)]
    settings = "select setting_value from analytics_llm.package_settings where setting = 'event_source'"
    assert ask(settings) == [("source",)]


def test_a_table_of_the_project_takes_the_place_of_a_configuration_seed(ask: Query) -> None:
    budgets = "select scope_id, amount_usd from analytics_llm.budget_status where scope_type = 'tenant'"
    assert ask(f"{budgets} and period = 'monthly'") == [("globex", Decimal("0.01"))]
    settings = "select setting_value from analytics_llm.package_settings where setting = 'rows_of_budgets'"
    assert ask(settings) == [("1",)]


def test_the_sql_of_an_alert_names_the_table_that_is_there(ask: Query) -> None:
    [(entity_id, evidence)] = ask(
        "select entity_id, evidence from analytics_llm.alerts where rule_id = 'budget_exceeded'"
    )
    assert entity_id == "globex"
    sql = json.loads(evidence)["sql"]
    assert "from analytics_llm.fct_llm_attempts" in sql
    assert len(ask(sql)) == 3


def test_every_row_of_the_log_is_accounted_for(ask: Query) -> None:
    columns = "raw_rows, accepted_rows, duplicate_rows, quarantined_rows, rejected_rows"
    assert ask(f"select {columns} from analytics_llm.spend_coverage") == [(5, 5, 0, 0, 0)]


def test_only_what_is_configured_is_there(duckdb_shop: Path) -> None:
    parsed = manifest(duckdb_shop)
    names = {node["name"] for node in parsed["nodes"].values() if node["package_name"] == "llm_spend"}
    assert {name.split("__")[0] for name in names if name.startswith("stg_")} == {"stg_config", "stg_prices"}
    assert [name for name in names if "demo" in name] == []
    assert parsed["unit_tests"] == {}
    assert {source["source_name"] for source in parsed["sources"].values()} <= {"app", "landing"}


def test_namesakes_in_the_project_are_left_alone_and_leave_ours_alone(duckdb_shop: Path) -> None:
    """With dbt's flag: what ours read, and what our tests test, is ours but for what a var names."""
    theirs = {
        (node["name"], read)
        for node in manifest(duckdb_shop)["nodes"].values()
        if node["package_name"] == "llm_spend"
        for read in node["depends_on"].get("nodes", [])
        if read.split(".")[1] == "shop"
    }
    assert {read for _, read in theirs} == {"model.shop.llm_calls", "seed.shop.budgets"}
    assert {name for name, read in theirs if read == "seed.shop.budgets"} == {
        "stg_config__budgets",
        "package_settings",
    }
    database = duckdb_shop / "shop.duckdb"
    assert query(database, "select * from analytics_reporting.dim_dates") == [("2026-10-01",)]
    assert query(database, "select * from analytics_reporting.alerts") == [("r2",)]


def test_metrics_that_a_project_asks_for_stand_beside_its_own_on_its_own_time_spine(duckdb_shop: Path) -> None:
    spines, metrics = semantic_manifest(duckdb_shop)
    assert spines == ["days_of_sale"]
    assert {"calls_of_the_shop", "llm_spend", "llm_margin"} < metrics
    assert manifest(duckdb_shop)["exposures"] == {}


@pytest.mark.slow
def test_metrics_that_nobody_asked_for_are_not_there(postgres_shop: tuple[Path, Engine]) -> None:
    spines, metrics = semantic_manifest(postgres_shop[0])
    assert (spines, metrics) == (["days_of_sale"], {"llm_spend"})


def as_reader(server: Engine, sql: str) -> str:
    """What comes of it: `done`, or the name of Postgres' refusal."""
    import psycopg2

    where = {name.removeprefix("LLM_SPEND_POSTGRES_").lower(): value for name, value in server.environment.items()}
    connection = psycopg2.connect(
        host=where["host"], port=where["port"], dbname=where["database"], user="bi_reader", password="change_me"
    )
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
    except psycopg2.Error as refused:
        return type(refused).__name__
    finally:
        connection.close()
    return "done"


@pytest.mark.slow
def test_the_reader_reads_every_mart_and_nothing_else(postgres_shop: tuple[Path, Engine]) -> None:
    """All are in one schema here, so it is the grants alone that tell them apart. Tables made anew keep them."""
    project, server = postgres_shop
    ours = [node for node in manifest(project)["nodes"].values() if node["package_name"] == "llm_spend"]
    relations = {
        node["relation_name"]: node["path"].startswith("marts") for node in ours if node["resource_type"] == "model"
    }
    seeds = [node["relation_name"] for node in ours if node["resource_type"] == "seed"]
    assert sum(relations.values()) == len({path.stem for path in (ROOT / "models" / "marts").rglob("*.sql")})
    for _ in range(2):
        for relation, is_mart in relations.items():
            expected = "done" if is_mart else "InsufficientPrivilege"
            assert as_reader(server, f"select * from {relation} limit 1") == expected, relation
        refused = [f"select * from {relation}" for relation in seeds] + [
            "delete from analytics_llm.fct_llm_attempts",
            "update analytics_llm.alerts set severity = 'info'",
            "insert into analytics_llm.dim_tenants select * from analytics_llm.dim_tenants",
            "drop table analytics_llm.alerts",
            "create table analytics_llm.mine (id integer)",
        ]
        assert {sql: as_reader(server, sql) for sql in refused} == dict.fromkeys(refused, "InsufficientPrivilege")
        build(project, "--exclude-resource-type", "test", adapter="postgres", **server.environment, **READER)


@pytest.mark.slow
def test_the_reader_may_ask_the_questions_of_the_docs(postgres_shop: tuple[Path, Engine]) -> None:
    page = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")
    questions = re.findall(r"\?\n\n```sql\n(.*?)```", page, re.DOTALL)
    _, server = postgres_shop
    assert [as_reader(server, sql.replace("marts.", "analytics_llm.")) for sql in questions] == ["done"] * 5


@pytest.mark.slow
def test_descriptions_are_in_postgres(postgres_shop: tuple[Path, Engine]) -> None:
    project, server = postgres_shop
    marts = {
        node["name"]: node
        for node in manifest(project)["nodes"].values()
        if node["package_name"] == "llm_spend" and node["resource_type"] == "model" and node["path"].startswith("marts")
    }
    _, rows = server.query(
        """
        select c.relname, a.attname, d.description
        from pg_description d
        join pg_class c on c.oid = d.objoid
        join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'analytics_llm'
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
        """
    )
    said = {(mart, column): text for mart, column, text in rows}
    for name, node in marts.items():
        assert said[name, None] == node["description"]
        for column, properties in node["columns"].items():
            assert said[name, column] == properties["description"], (name, column)


@pytest.mark.slow
def test_a_namesake_that_dbt_would_read_in_place_of_ours_stops_the_build(tmp_path: Path) -> None:
    """Without the flag. The same project names another log, whose models are there then."""
    project = copy_of_the_shop(tmp_path / "shop")
    settings = settings_without_the_flag(project)
    settings["vars"]["llm_spend"]["usage_sources"] = ["app", "litellm"]
    (project / "dbt_project.yml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    run_dbt(project, "deps")
    refused = run_dbt(project, "build", "--select", "model_prefixes")
    assert refused.returncode != 0
    assert "is a model or seed of shop and one of llm_spend" in refused.stdout
    assert f"{NAMESAKE_FLAG}: true" in refused.stdout
    assert not (project / "shop.duckdb").exists() or query(project / "shop.duckdb", "show all tables") == []
    nodes = manifest(project)["nodes"]
    assert "model.llm_spend.stg_litellm__spend_logs" in nodes
    assert "model.llm_spend.stg_otel__spans" not in nodes


@pytest.mark.slow
def test_a_configuration_that_does_not_exist_stops_the_build(tmp_path: Path) -> None:
    project = copy_of_the_shop(tmp_path / "shop")
    run_dbt(project, "deps")
    own = json.dumps({"config_models": {"budgest": "budgets"}})
    refused = run_dbt(project, "build", "--select", "model_prefixes", "--vars", own)
    assert refused.returncode != 0
    assert "config_models names 'budgest'; it may name the files of seeds/config" in refused.stdout
