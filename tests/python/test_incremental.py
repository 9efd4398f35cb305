"""A warehouse built day by day equals one built at once, whatever arrives in whatever order."""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from conftest import ROOT, query, write_jsonl
from llm_spend.dbt_run import BuildRequest, dbt_environment, dbt_variables
from llm_spend.ingest.load import load
from llm_spend.paths import project_dir
from marts import differences

EXAMPLES = int(os.environ.get("LLM_SPEND_EXAMPLES", "3"))
AS_OF = "2026-10-20 00:00:00"
FIRST_DAY = datetime(2026, 9, 1, tzinfo=UTC)
DAYS = 8


@dataclass
class Warehouse:
    """A database that is loaded and built step by step. `files` are the batches so far, with when each landed.

    It is built in a place that all of a session share, under one name, so that dbt parses the project once.
    """

    folder: Path
    shared: Path
    files: list[tuple[Path, datetime]] = field(default_factory=list)
    has_forgotten: bool = False

    def __post_init__(self) -> None:
        shutil.copytree(ROOT / "seeds" / "config", self.config, dirs_exist_ok=True)

    @property
    def database(self) -> Path:
        return self.folder / "warehouse.duckdb"

    @property
    def config(self) -> Path:
        return self.shared / "config"

    def land(self, events: list[dict[str, object]]) -> None:
        moment = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=len(self.files))
        path = write_jsonl(self.folder / f"batch_{len(self.files)}.jsonl", events)
        self.files.append((path, moment))
        load(self.database, [str(path)], None, moment)

    def configure(self, name: str, rows: list[dict[str, str]]) -> None:
        path = self.config / f"{name}.csv"
        with path.open(newline="") as file:
            header = next(csv.reader(file))
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    def forget(self, day: date, half: bool) -> None:
        """Retention: the raw rows of a day, or half of them, are gone."""
        self.has_forgotten = True
        with duckdb.connect(str(self.database)) as connection:
            connection.execute(
                "delete from raw.raw_usage_events where cast(started_at as date) = ? and hash(event_id) % 2 < ?",
                [day, 1 if half else 2],
            )

    def build(self, database: Path | None = None, *, full_refresh: bool = False) -> None:
        database = database or self.database
        built = database.rename(self.shared / "warehouse.duckdb")
        request = BuildRequest(built, "landing", AS_OF, self.config, full_refresh)
        result = subprocess.run(
            [
                *(Path(sys.executable).with_name("dbt"), "build"),
                *("--exclude-resource-type", "test", "unit_test"),
                # computed anew by each build, from marts that are compared here
                *("--exclude", "intermediate.alerts", "marts.alerts"),
                *("--vars", json.dumps(dbt_variables(request))),
                *("--project-dir", project_dir(), "--profiles-dir", project_dir()),
                *("--target-path", self.shared / "target", "--log-path", self.shared / "logs"),
                *(["--full-refresh"] if full_refresh else []),
            ],
            env=os.environ | dbt_environment(request, project_dir()),
            capture_output=True,
            text=True,
            check=False,
        )
        built.rename(database)
        assert result.returncode == 0, result.stdout[-3000:]

    def built_at_once(self) -> Path:
        """Another database with the same events: from all files, or where raw rows are gone, from what is left."""
        other = self.folder / "at_once.duckdb"
        other.unlink(missing_ok=True)
        if self.has_forgotten:
            shutil.copy(self.database, other)
        else:
            for path, moment in self.files:
                load(other, [str(path)], None, moment)
        self.build(other, full_refresh=self.has_forgotten)
        return other

    def touched(self) -> dict[str, int]:
        return dict(query(self.database, "select reason, count(*) from intermediate.int_touched_days group by 1"))


def event(number: int, minute: int, **fields: object) -> dict[str, object]:
    """An event of id `e<number>`, so many minutes after the first day began."""
    return {
        "event_id": f"e{number}",
        "started_at": (FIRST_DAY + timedelta(minutes=minute)).isoformat(),
        "provider": "openai",
        "model": "gpt-4o",
        "tenant_id": "acme",
        "endpoint_tag": "chat",
        "input_tokens": 1000,
        "output_tokens": 100,
        **fields,
    }


EVENTS = st.builds(
    event,
    # few ids, so that many are delivered again, on another day too
    st.integers(1, 60),
    st.one_of(
        st.integers(0, DAYS * 1440 - 1),
        st.integers(1, DAYS).flatmap(lambda day: st.integers(day * 1440 - 3, min(day * 1440 + 3, DAYS * 1440 - 1))),
    ),
    model=st.sampled_from(["gpt-4o", "claude-sonnet-4-5", "mystery"]),
    provider=st.sampled_from(["openai", None]),
    tenant_id=st.sampled_from(["acme", "old-acme", None]),
    endpoint_tag=st.sampled_from(["chat", "search"]),
    external_request_id=st.sampled_from([None, "r1", "r2", "r3", "r4"]),
    status=st.sampled_from(["success", "success", "error", "timeout"]),
    user_id=st.sampled_from(["u1", "u2", None]),
    input_tokens=st.sampled_from([10, 5000, -3, None]),
)
STEPS = st.one_of(
    st.lists(EVENTS, min_size=1, max_size=25).map(lambda events: ("land", events)),
    st.lists(EVENTS, min_size=1, max_size=25).map(lambda events: ("land", events)),
    st.sampled_from(["acme", "zeta", ""]).map(lambda name: ("alias", name)),
    st.tuples(st.integers(1, 50), st.integers(1, DAYS)).map(lambda price: ("discount", price)),
    st.tuples(st.integers(0, DAYS - 1), st.booleans()).map(lambda day: ("forget", day)),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared")


@pytest.mark.slow
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(
    first=st.lists(EVENTS, min_size=40, max_size=80),
    steps=st.lists(st.lists(STEPS, min_size=1, max_size=3), max_size=3),
)
def test_any_order_of_arrivals_ends_in_the_marts_of_one_full_build(
    tmp_path_factory: pytest.TempPathFactory,
    shared: Path,
    first: list[dict[str, object]],
    steps: list[list[tuple[str, object]]],
) -> None:
    warehouse = Warehouse(tmp_path_factory.mktemp("arrivals"), shared)
    warehouse.land(first)
    warehouse.build()
    for step in steps:
        for kind, what in step:
            if kind == "land":
                warehouse.land(what)
            elif kind == "alias":
                alias = {"identity_type": "tenant", "alias": "old-acme", "canonical_id": what}
                warehouse.configure("identity_aliases", [alias] if what else [])
            elif kind == "discount":
                percent, day = what
                valid_from = (FIRST_DAY + timedelta(days=day)).date().isoformat()
                discount = {"provider_id": "openai", "discount_percent": str(percent), "valid_from": valid_from}
                warehouse.configure("price_overrides", [discount])
            else:
                day, half = what
                warehouse.forget((FIRST_DAY + timedelta(days=day)).date(), half)
        warehouse.build()
    assert differences(warehouse.database, warehouse.built_at_once()) == {}


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Warehouse:
    """Four days, built once: e1 fails on day 0 and is retried as e2 after midnight, beside one call a day."""
    warehouse = Warehouse(tmp_path_factory.mktemp("history"), shared)
    warehouse.land(
        [
            event(1, 1435, external_request_id="r1", status="error"),
            event(2, 1442, external_request_id="r1"),
            *(event(10 + day, day * 1440 + 600) for day in range(4)),
        ]
    )
    warehouse.build()
    return warehouse


@pytest.fixture
def warehouse(history: Warehouse, tmp_path: Path) -> Warehouse:
    """A copy of that history."""
    copy = Warehouse(tmp_path, history.shared, list(history.files))
    shutil.copy(history.database, copy.database)
    return copy


def test_a_second_run_writes_nothing(warehouse: Warehouse) -> None:
    assert warehouse.touched() == {"everything": 4}
    warehouse.build()
    assert warehouse.touched() == {}


def test_a_late_row_writes_its_own_day_only(warehouse: Warehouse) -> None:
    warehouse.land([event(99, 2 * 1440 + 30)])
    warehouse.build()
    assert warehouse.touched() == {"new_rows": 1}
    assert differences(warehouse.database, warehouse.built_at_once()) == {}


def test_a_late_attempt_writes_the_days_of_its_request(warehouse: Warehouse) -> None:
    """The first try of r1 arrives last, so the retry of the next day is no first attempt any more."""
    warehouse.land([event(98, 1430, external_request_id="r1", status="timeout")])
    warehouse.build()
    assert warehouse.touched() == {"new_rows": 1, "request": 1}
    attempts = query(
        warehouse.database, "select event_id, is_retry from marts.fct_llm_attempts where request_key in"
        " (select request_key from marts.fct_llm_attempts where event_id = 'e2') order by started_at",
    )  # fmt: skip
    assert attempts == [("e98", False), ("e1", True), ("e2", True)]


def test_a_revision_leaves_the_day_it_came_from(warehouse: Warehouse) -> None:
    """e13 was the only event of day 3; now it was on day 2, and nothing is left of day 3."""
    warehouse.land([event(13, 2 * 1440 + 700)])
    warehouse.build()
    assert warehouse.touched() == {"new_rows": 1, "request": 1}
    days = query(warehouse.database, "select event_id, usage_date from marts.fct_llm_attempts where event_id = 'e13'")
    assert days == [("e13", date(2026, 9, 3))]
    assert query(warehouse.database, "select max(usage_date) from marts.fct_daily_spend") == [(date(2026, 9, 3),)]


@pytest.mark.slow
def test_a_new_price_writes_its_days_and_is_logged(warehouse: Warehouse) -> None:
    """gpt-4o costs $2.5 and $10 a million: 0.0025 + 0.001 a call, ten percent less from day 2 on."""
    discount = {"provider_id": "openai", "discount_percent": "10", "valid_from": "2026-09-03"}
    warehouse.configure("price_overrides", [discount])
    warehouse.build()
    assert warehouse.touched() == {"prices": 2}
    logged = query(
        warehouse.database,
        "select cast(usage_date_utc as varchar), model, attempts, cast(cost_before_usd as double),"
        " cast(cost_after_usd as double), cast(moved_usd as double) from marts.price_restatements order by 1",
    )
    assert logged == [
        ("2026-09-03", "gpt-4o", 1, 0.0035, 0.00315, -0.00035),
        ("2026-09-04", "gpt-4o", 1, 0.0035, 0.00315, -0.00035),
    ]
    warehouse.build()
    assert query(warehouse.database, "select count(*) from marts.price_restatements") == [(2,)]


def test_an_alias_writes_every_day(warehouse: Warehouse) -> None:
    warehouse.configure("identity_aliases", [{"identity_type": "tenant", "alias": "acme", "canonical_id": "zeta"}])
    warehouse.build()
    assert warehouse.touched() == {"configuration": 4}
    assert query(warehouse.database, "select distinct tenant_id from marts.fct_llm_attempts") == [("zeta",)]


@pytest.mark.slow
@pytest.mark.parametrize("full_refresh", [False, True])
def test_what_was_loaded_outlives_its_raw_rows(warehouse: Warehouse, full_refresh: bool) -> None:
    """Days 0 and 1 are gone from the raw rows: they are kept, priced anew, and a late row joins them."""
    before = query(warehouse.database, "select count(*), count(distinct request_key) from marts.fct_llm_attempts")
    warehouse.forget(date(2026, 9, 1), half=False)
    warehouse.forget(date(2026, 9, 2), half=False)
    warehouse.configure("price_overrides", [{"provider_id": "openai", "discount_percent": "10"}])
    warehouse.land([event(97, 30)])
    warehouse.build(full_refresh=full_refresh)
    after = query(warehouse.database, "select count(*), count(distinct request_key) from marts.fct_llm_attempts")
    assert after == [(before[0][0] + 1, before[0][1] + 1)]
    assert query(warehouse.database, "select distinct cast(cost_usd as double) from marts.fct_llm_attempts") == [
        (0.00315,)
    ]


@pytest.mark.slow
def test_a_run_that_stopped_is_finished_by_the_next(warehouse: Warehouse) -> None:
    """The attempts were written, a roll-up was not: their version is right, and yet their days are written again."""
    warehouse.land([event(96, 2 * 1440 + 40)])
    warehouse.build()
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("update intermediate.int_days_finished set run_id = 'the run before'")
        connection.execute("delete from marts.fct_daily_spend where usage_date = '2026-09-03'")
    warehouse.build()
    assert warehouse.touched() == {"unfinished": 1}
    assert differences(warehouse.database, warehouse.built_at_once()) == {}


@pytest.mark.slow
def test_a_warehouse_of_an_earlier_release_is_written_anew(warehouse: Warehouse) -> None:
    """Its tables know no versions, its requests are a table, a cost has a column of its own; and the raw rows of day 0
    are gone.
    """
    warehouse.forget(date(2026, 9, 1), half=False)
    with duckdb.connect(str(warehouse.database)) as connection:
        connection.execute("drop table intermediate.int_touched_days; drop table intermediate.int_days_finished")
        connection.execute("create table marts.requests as from marts.fct_llm_requests")
        connection.execute("drop view marts.fct_cost_components; drop view marts.fct_llm_requests")
        connection.execute("alter table marts.requests rename to fct_llm_requests")
        for column in ("day_version", "request_date_utc", "list_cost_usd", "other_cost_usd"):
            connection.execute(f"alter table marts.fct_llm_attempts drop column {column}")
        connection.execute("alter table marts.fct_llm_attempts add column output_video_cost_usd decimal(28, 12)")
        connection.execute("alter table marts.fct_llm_requests drop column usage_date_utc")
        connection.execute("alter table marts.fct_hourly_spend drop column usage_date")
    warehouse.build()
    assert warehouse.touched() == {"everything": 4}
    assert query(warehouse.database, "select count(*), sum(attempts) from marts.fct_llm_requests") == [(5, 6)]
    assert query(warehouse.database, "select count(*), min(list_cost_usd) > 0 from marts.fct_llm_attempts") == [
        (6, True)
    ]
    assert query(warehouse.database, "select sum(attempts) from marts.fct_hourly_spend") == [(6,)]
