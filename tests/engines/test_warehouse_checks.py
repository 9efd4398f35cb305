"""Each check of a warehouse's statements finds its fault, and passes what has none."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
pytest.importorskip("sqlglot")

import warehouse_checks as checks
from offline import Statement

ATTEMPTS = "`p`.`marts`.`fct_llm_attempts`"
VIEW = f"create view `p`.`staging`.`seen` as with read as (select *, 1 as one from {ATTEMPTS}) select * from read"


def read(*statements: str, dialect: str = "bigquery") -> list[checks.Parsed]:
    parsed, faults = checks.parsed([Statement("model.llm_spend.a_model", sql) for sql in statements], dialect)
    assert not faults
    return parsed


@pytest.mark.parametrize(
    "where",
    [
        "usage_date_utc >= '2026-10-01'",
        "(usage_date_utc >= '2026-10-01' and usage_date_utc < '2026-10-02') or usage_date_utc = '2026-10-05'",
        "cost_usd > 0 and usage_date_utc in ('2026-10-01', '2026-10-02')",
        "false",
    ],
)
@pytest.mark.parametrize("table", [ATTEMPTS, "`p`.`staging`.`seen`"], ids=["table", "view"])
def test_dates_in_the_statement_limit_what_is_read(table: str, where: str) -> None:
    assert checks.read_whole(read(VIEW, f"select event_id from {table} where {where}")) == []


@pytest.mark.parametrize(
    "where",
    [
        "true",
        "usage_date >= '2026-10-01'",
        "usage_date_utc >= '2026-10-01' or cost_usd > 0",
        "usage_date_utc in (select day from `p`.`intermediate`.`days`)",
        "cast(usage_date_utc as string) >= '2026-10-01'",
    ],
)
@pytest.mark.parametrize("table", [ATTEMPTS, "`p`.`staging`.`seen`"], ids=["table", "view"])
def test_a_large_table_read_whole_is_found(table: str, where: str) -> None:
    found = checks.read_whole(read(VIEW, f"select event_id from {table} where {where}"))
    assert found == ["a_model reads fct_llm_attempts"]


def test_dates_after_a_sum_limit_nothing() -> None:
    summed = f"select usage_date_utc, sum(cost_usd) as cost from {ATTEMPTS} group by usage_date_utc"
    assert checks.read_whole(read(f"select cost from ({summed}) as summed where usage_date_utc >= '2026-10-01'"))


def test_every_part_of_a_union_must_be_limited() -> None:
    limited = f"select event_id from {ATTEMPTS} where usage_date_utc = '2026-10-01'"
    assert checks.read_whole(read(f"{limited} union all {limited}")) == []
    assert checks.read_whole(read(f"{limited} union all select event_id from {ATTEMPTS}"))


@pytest.mark.parametrize(("replaced", "is_found"), [("in ('2026-10-01')", False), ("is not null", True)])
def test_a_merge_replaces_days_that_it_names(replaced: str, is_found: bool) -> None:
    merge = (
        f"merge into {ATTEMPTS} as old using (select * from `p`.`marts`.`new`) as new on false "
        f"when not matched by source and old.usage_date_utc {replaced} then delete "
        "when not matched then insert (event_id) values (event_id)"
    )
    assert bool(checks.read_whole(read(merge))) == is_found


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("select event_id from `llm_spend`.`raw`.`raw_usage_events` where input_tokens = 1", None),
        ("select nothing_of_it from `llm_spend`.`raw`.`raw_usage_events`", "nothing_of_it"),
        ("select event_id from `llm_spend`.`raw`.`raw_usage_events` where started_at >= '2026-10-01'", None),
        (
            "select event_id from `llm_spend`.`raw`.`raw_usage_events` where started_at >= cast('2026-10-01' as date)",
            "DATE",
        ),
        ("select event_id from `llm_spend`.`raw`.`raw_usage_events` where input_tokens = '1'", "input_tokens"),
    ],
)
def test_columns_exist_and_are_compared_with_their_like(statement: str, fault: str | None) -> None:
    found = checks.unlike(read(statement), "bigquery")
    assert len(found) == (fault is not None)
    assert fault is None or fault in found[0]


def test_what_a_statement_made_is_known_to_the_next() -> None:
    made = "create table `llm_spend`.`marts`.`made` as select event_id as id from `llm_spend`.`raw`.`raw_usage_events`"
    assert checks.unlike(read(made, "select id from `llm_spend`.`marts`.`made`"), "bigquery") == []
    assert checks.unlike(read(made, "select event_id from `llm_spend`.`marts`.`made`"), "bigquery")


def test_rows_are_replaced_in_one_transaction() -> None:
    replaced = ["delete from a.b.c where d = 1", "insert into a.b.c select 1"]
    assert checks.written_in_halves(read("begin", *replaced, "commit", dialect="snowflake")) == []
    assert len(checks.written_in_halves(read("begin", replaced[0], "commit", replaced[1], dialect="snowflake"))) == 1


@pytest.mark.parametrize("sql", ["select from where", "frobnicate the table"])
def test_what_the_dialect_does_not_know_is_a_fault(sql: str) -> None:
    assert len(checks.parsed([Statement("node", sql)], "bigquery")[1]) == 1


def test_what_a_table_says_of_its_columns_is_no_fault() -> None:
    described = 'alter table llm_spend.marts.t alter\n "DAY" COMMENT $$The day; it\'s in UTC.$$, "N" COMMENT $$$$;'
    view = 'create or replace view llm_spend.marts.v (\n "DAY" COMMENT $$The day.$$\n) as (select 1 as day)'
    (parsed,) = read(described, view, dialect="snowflake")
    assert parsed.tree.this.name == "v"
    unknown = checks.Statement("model.llm_spend.a_model", 'alter table t alter "DAY" frobnicate $$x$$')
    assert len(checks.parsed([unknown], "snowflake")[1]) == 1
